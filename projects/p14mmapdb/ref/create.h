/*
 * create.h - new files: an empty database, and a copy of one state of another. They get
 * their name when they are whole and on the disk, so that a kill leaves nothing.
 */
#ifndef CREATE_H
#define CREATE_H

#include <libgen.h>
#include "check.h"

static void forget(int signal_number)
{
	unlink(half_written);
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

/* A file that has no name yet, or where there is no such thing one that is to go. */
static int new_file(const char *path, const char *dir)
{
	struct stat s;
	int fd = -1;

	if (lstat(path, &s) == 0)
		die("create %s: %s", path, strerror(EEXIST));
	if (access("/proc/self/fd", X_OK) == 0)
		fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	else
		errno = EOPNOTSUPP; /* it would never get a name */
	if (fd == -1 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
		static const int ends[] = { SIGINT, SIGTERM, SIGHUP };

		snprintf(half_written, sizeof(half_written), "%.4000s/unpipc-%d-mmapdb", dir, (int)getpid());
		for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
			if (signal(ends[i], forget) == SIG_IGN)
				signal(ends[i], SIG_IGN);
		fd = open(half_written, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);
	}
	if (fd == -1)
		die("create %s: %s", path, strerror(errno));
	fchmod(fd, 0600);
	return fd;
}

/* Gives it its name, which nobody else may have taken. */
static void name_file(int fd, const char *path, const char *dir)
{
	char proc[64];
	int folder, done;

	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	if (fsync(fd) == -1)
		die("fsync %s: %s", path, strerror(errno));
	if (*half_written)
		done = link(half_written, path);
	else
		done = linkat(AT_FDCWD, proc, AT_FDCWD, path, AT_SYMLINK_FOLLOW);
	if (done == -1)
		die("create %s: %s", path, strerror(errno));
	if (*half_written)
		unlink(half_written);
	*half_written = '\0';
	folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder == -1 || fsync(folder) == -1)
		die("fsync %s: %s", dir, strerror(errno));
	close(folder);
	close(fd);
}

static struct meta empty_meta(uint32_t number)
{
	struct meta m = { .number = number, .tx = 1 + number, .magic = META_MAGIC, .pages = FIRST_PAGE };

	m.crc = crc32c((uint8_t *)&m + 4, PAGE - 4);
	return m;
}

static void create(const char *path, uint64_t size)
{
	struct header h = { .magic = HEADER_MAGIC, .version = 1, .page_size = PAGE };
	struct meta m[2] = { empty_meta(1), empty_meta(2) };
	char copy[PATH_MAX], *dir;
	int fd, error;

	signal(SIGXFSZ, SIG_IGN);
	snprintf(copy, sizeof(copy), "%s", path);
	dir = dirname(copy);
	fd = new_file(path, dir);
	error = posix_fallocate(fd, 0, (off_t)(size < FIRST_PAGE * PAGE ? FIRST_PAGE * PAGE : size));
	if (error)
		die("create %s: %s", path, strerror(error));
	h.crc = crc32c(&h, PAGE - 4);
	if (!try_write(fd, &h, PAGE, 0) || !try_write(fd, m, 2 * PAGE, PAGE))
		die("create %s: %s", path, strerror(errno));
	name_file(fd, path, dir);
}

/* Copies the state that is read, while others go on writing. */
static void backup(const char *path)
{
	char copy[PATH_MAX], *dir;
	int fd;

	check_state();
	snprintf(copy, sizeof(copy), "%s", path);
	dir = dirname(copy);
	fd = new_file(path, dir);
	for (uint64_t page = 0; page < db.now.pages; page += 256) {
		uint64_t n = db.now.pages - page < 256 ? db.now.pages - page : 256;

		if (!try_write(fd, db.map + page * PAGE, n * PAGE, page * PAGE))
			die("write %s: %s", path, strerror(errno));
	}
	/* The meta pages may have been written to since. Both have this state now. */
	db.now.flushed = 1;
	db.now.listed = 0;
	memset(db.now.list, 0, sizeof(db.now.list));
	for (db.now.number = 1; db.now.number <= 2; db.now.number++, db.now.tx++) {
		db.now.crc = crc32c((uint8_t *)&db.now + 4, PAGE - 4);
		if (!try_write(fd, &db.now, PAGE, (uint64_t)db.now.number * PAGE))
			die("write %s: %s", path, strerror(errno));
	}
	name_file(fd, path, dir);
}

#endif
