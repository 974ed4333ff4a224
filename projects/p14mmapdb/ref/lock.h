/*
 * lock.h - the lock file: one writer, and what every reader reads. All locks go with the
 * process that holds them, however it ends.
 */
#ifndef LOCK_H
#define LOCK_H

#include "file.h"

enum { WRITER_BYTE = 0, SLOT_BYTE = 1 };
#define SESSION_BYTE (INT64_C(1) << 40)

/* 0, or the errno: EAGAIN if others have it. */
static int lock_byte(int command, short type, int64_t byte)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };
	int r;

	do
		r = fcntl(db.lock_fd, command, &l);
	while (r == -1 && errno == EINTR);
	return r == -1 ? (errno == EACCES ? EAGAIN : errno) : 0;
}

static void lock(short type, int64_t byte)
{
	int error = lock_byte(F_OFD_SETLKW, type, byte);

	if (error)
		die("lock %s: %s", db.lock_path, strerror(error));
}

static bool try_lock(short type, int64_t byte)
{
	int error = lock_byte(F_OFD_SETLK, type, byte);

	if (error && error != EAGAIN)
		die("lock %s: %s", db.lock_path, strerror(error));
	return !error;
}

/* The state that the file itself has. */
static uint64_t newest_valid(void)
{
	uint64_t newest = 0;

	for (uint32_t n = 1; n <= 2; n++)
		if (in_file(FIRST_PAGE) && valid(meta_at(n), n) && meta_at(n)->tx > newest / 2)
			newest = 2 * meta_at(n)->tx + n - 1;
	if (!newest)
		die("%s: damaged: neither of the two meta pages is right", db.path);
	return newest;
}

/* Nobody else has the database open. */
static void set_up(void)
{
	static const uint8_t zeros[PAGE];
	uint64_t failed = db.s->failed, durable = db.s->durable, newest = 0;
	uint32_t number = durable % 2 + 1;

	memset(db.s->magic, 0, 8);
	/* After a failed flush the file has more here than on the disk. */
	if (failed && durable && in_file(FIRST_PAGE) && meta_ok(meta_at(number), number) && meta_at(number)->tx == durable / 2) {
		newest = durable;
		if (!db.read_only && meta_ok(meta_at(3 - number), 3 - number) && meta_at(3 - number)->tx > durable / 2) {
			write_pages(zeros, PAGE, 3 - number);
			flush();
		}
	}
	memset(db.s, 0, sizeof(*db.s));
	db.s->version = 1;
	db.s->slots = SLOTS;
	if (newest && db.read_only) { /* those who may write are still told */
		db.s->durable = durable;
		db.s->failed = failed;
	}
	db.s->newest = newest ? newest : newest_valid();
	/* An old "failed" that comes back with a power failure would undo what was written since. */
	if (failed && fsync(db.lock_fd) == -1)
		die("fsync %s: %s", db.lock_path, strerror(errno));
	memcpy(db.s->magic, LOCK_MAGIC, 8);
}

static void map_lock_file(void)
{
	char first[8] = "", zeros[8] = "";
	ssize_t n = pread(db.lock_fd, first, 8, 0);
	uint64_t size = file_size(db.lock_fd, db.lock_path);
	int prot = fcntl(db.lock_fd, F_GETFL) & O_RDWR ? PROT_READ | PROT_WRITE : PROT_READ, error;

	if (n == -1)
		die("read %s: %s", db.lock_path, strerror(errno));
	if (memcmp(first, zeros, (size_t)n) && (n < 8 || memcmp(first, LOCK_MAGIC, 8)))
		die("%s: not a lock file of mmapdb", db.lock_path);
	if (size < sizeof(*db.s)) {
		error = posix_fallocate(db.lock_fd, 0, sizeof(*db.s));
		if (error)
			die("write %s: %s", db.lock_path, strerror(error));
	}
	db.s = mmap(NULL, sizeof(*db.s), prot, MAP_SHARED, db.lock_fd, 0);
	if (db.s == MAP_FAILED)
		die("mmap %s: %s", db.lock_path, strerror(errno));
}

/* Whether the lock file that is open is the one that others will find. */
static bool still_there(void)
{
	struct stat is, was;

	return stat(db.lock_path, &is) == 0 && fstat(db.lock_fd, &was) == 0 && is.st_ino == was.st_ino && is.st_dev == was.st_dev;
}

static bool is_set_up(void)
{
	if (file_size(db.lock_fd, db.lock_path) < sizeof(*db.s))
		return false;
	map_lock_file();
	return !memcmp(db.s->magic, LOCK_MAGIC, 8);
}

/* Who may not write the lock file keeps all from setting it up, or writers from writing. */
static void join_unseen(void)
{
	lock(F_RDLCK, SESSION_BYTE);
	if (is_set_up())
		lock(F_RDLCK, WRITER_BYTE);
	else
		db.s = NULL;
}

/* Joins those who have the database open, or sets it up for those who will. */
static void open_database(const char *path)
{
	open_file(path);
	for (;; close(db.lock_fd)) {
		db.lock_fd = open(db.lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (db.lock_fd == -1 && (errno == EACCES || errno == EROFS || errno == EPERM)) {
			int error = errno;

			db.read_only = true;
			db.lock_fd = open(db.lock_path, O_RDONLY | O_CLOEXEC);
			if (db.lock_fd == -1 && error == EROFS && errno == ENOENT)
				return;
		}
		if (db.lock_fd == -1)
			die("open %s: %s", db.lock_path, strerror(errno));
		db.unseen = !(fcntl(db.lock_fd, F_GETFL) & O_RDWR);
		if (db.unseen) {
			join_unseen();
			if (still_there())
				return;
			continue;
		}
		if (!try_lock(F_WRLCK, SESSION_BYTE)) {
			lock(F_RDLCK, SESSION_BYTE);
			if (!still_there())
				continue;
			if (is_set_up())
				return;
			lock(F_UNLCK, SESSION_BYTE);
			lock(F_WRLCK, SESSION_BYTE);
		}
		if (!still_there())
			continue;
		map_lock_file();
		set_up();
		lock(F_RDLCK, SESSION_BYTE);
		return;
	}
}

#endif
