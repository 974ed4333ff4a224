/*
 * file.h - the database's file: mapped for reading, written by pwrite, flushed by
 * fdatasync.
 */
#ifndef FILE_H
#define FILE_H

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include "layout.h"

static struct {
	char path[PATH_MAX], lock_path[PATH_MAX + 8];
	int fd, lock_fd;
	bool read_only, no_sync, unseen; /* the last: it is in no slot */
	const uint8_t *map;
	uint64_t mapped, size; /* bytes: of the map; of the file when last asked */
	struct lock_file *s; /* NULL: nobody can write */
	uint64_t *slot; /* where this process says what it reads, NULL for nowhere */
	struct meta now; /* the state that is read, or changed */
} db = { .fd = -1, .lock_fd = -1 };

#define LOAD(p) __atomic_load_n(p, __ATOMIC_SEQ_CST)
#define STORE(p, v) __atomic_store_n(p, v, __ATOMIC_SEQ_CST)

static void __attribute__((noreturn)) damaged(uint64_t page, const char *what)
{
	die("%s: damaged: page %llu: %s", db.path, (unsigned long long)page, what);
}

static uint64_t file_size(int fd, const char *path)
{
	struct stat s;

	if (fstat(fd, &s) == -1)
		die("stat %s: %s", path, strerror(errno));
	if (!S_ISREG(s.st_mode))
		die("%s: not a database of mmapdb: not a plain file", path);
	return (uint64_t)s.st_size;
}

static void shorter(int signal)
{
	static const char text[] = "mmapdb: damaged: the database became shorter while in use\n";

	(void)signal;
	(void)!write(2, text, sizeof(text) - 1);
	_exit(1);
}

/* Whether so many pages are in the file. */
static bool in_file(uint64_t pages)
{
	if (pages * PAGE > db.size)
		db.size = file_size(db.fd, db.path);
	return pages * PAGE <= db.size;
}

/* Reserves addresses for the file to grow into: what others add to it is then there. */
static void map_file(void)
{
	db.size = file_size(db.fd, db.path);
	for (db.mapped = UINT64_C(1) << 40; db.mapped < db.size; db.mapped *= 2)
		;
	for (;; db.mapped /= 2) {
		void *p = mmap(NULL, db.mapped, PROT_READ, MAP_SHARED | MAP_NORESERVE, db.fd, 0);

		if (p != MAP_FAILED) {
			db.map = p;
			return;
		}
		if (db.mapped < db.size || db.mapped <= PAGE)
			die("mmap %s: %s", db.path, strerror(errno));
	}
}

static void open_file(const char *path)
{
	struct header h;
	struct stat link;
	ssize_t n;

	signal(SIGBUS, shorter);
	signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error to be told of */
	/* Whichever link leads to it, it has one lock file. */
	if (lstat(path, &link) == -1 || !S_ISLNK(link.st_mode) || !realpath(path, db.path))
		snprintf(db.path, sizeof(db.path), "%s", path);
	snprintf(db.lock_path, sizeof(db.lock_path), "%s-lock", db.path);
	db.fd = open(db.path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	db.read_only = db.fd == -1 && (errno == EACCES || errno == EROFS || errno == EPERM);
	if (db.read_only)
		db.fd = open(db.path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (db.fd == -1)
		die("open %s: %s", db.path, strerror(errno));
	file_size(db.fd, db.path);
	n = pread(db.fd, &h, sizeof(h), 0);
	if (n < 8 || memcmp(h.magic, HEADER_MAGIC, 8))
		die("%s: not a database of mmapdb", db.path);
	if (n < PAGE)
		damaged(0, "cut off");
	if (h.crc != crc32c(&h, PAGE - 4))
		damaged(0, "the checksum is wrong");
	if (h.version != 1 || h.page_size != PAGE)
		die("%s: not a database of mmapdb: version %u with pages of %u bytes is not known here", db.path, h.version,
		    h.page_size);
	map_file();
}

static bool try_write(int fd, const void *from, uint64_t n, uint64_t where)
{
	const uint8_t *p = from;

	while (n) {
		ssize_t done = pwrite(fd, p, n, (off_t)where);

		if (done == -1 && errno == EINTR)
			continue;
		if (done == -1)
			return false;
		p += done;
		where += (uint64_t)done;
		n -= (uint64_t)done;
	}
	return true;
}

static void write_pages(const void *from, uint64_t n, uint64_t page)
{
	if (!try_write(db.fd, from, n, page * PAGE))
		die("write %s: %s", db.path, strerror(errno));
}

/* Where the disk has no room it ends here, and nothing has happened. */
static void extend(uint64_t pages)
{
	uint64_t need = pages * PAGE, step = db.size / 8 < 64 << 10 ? 64 << 10 : db.size / 8 > 64 << 20 ? 64 << 20 : db.size / 8;
	int error;

	if (in_file(pages))
		return;
	if (need > db.mapped)
		die("%s: it would be longer than the address space that this process may have: %s", db.path, strerror(ENOMEM));
	step = (db.size + step) / PAGE * PAGE;
	error = step > need ? posix_fallocate(db.fd, 0, (off_t)step) : ENOSPC;
	if (error)
		error = posix_fallocate(db.fd, 0, (off_t)need);
	if (error)
		die("write %s: %s", db.path, strerror(error));
	db.size = file_size(db.fd, db.path);
}

/* One that failed is not made good by another: the kernel has given the pages up. */
static void flush(void)
{
	if (fdatasync(db.fd) == -1) {
		STORE(&db.s->failed, (uint64_t)errno);
		die("fdatasync %s: %s", db.path, strerror(errno));
	}
}

/* Whether a meta page has this state, all of which reached the file. */
static bool valid(const struct meta *m, uint32_t number)
{
	if (!meta_ok(m, number) || !in_file(m->pages) || m->pages > db.mapped / PAGE)
		return false;
	for (uint32_t i = 0; i < m->listed; i++) {
		const struct listed *l = &m->list[i];
		const struct page *p = (const struct page *)(db.map + (uint64_t)l->page * PAGE);

		if (p->number != l->page || p->tx > m->tx || p->crc != l->crc ||
		    p->crc != crc32c((const uint8_t *)p + 4, (size_t)l->run * PAGE - 4))
			return false;
	}
	return true;
}

static const struct meta *meta_at(uint32_t number)
{
	return (const struct meta *)(db.map + (uint64_t)number * PAGE);
}

#endif
