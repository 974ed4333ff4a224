/*
 * store.h - an open store: its lock file, and getting and setting. The process may be
 * killed at any moment, so any error may end it.
 */
#ifndef STORE_H
#define STORE_H

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "layout.h"

/* What all who use the store share while they run; see the Go package's session. */
struct session {
	char stamp[64]; /* magic, and which boot it is of */
	uint64_t salt, generation, tail, allocated;
	int64_t live, live_bytes;
	uint64_t rewrite_at, failed;
	uint8_t unused[4096 - 128];
	struct {
		uint64_t seq, pending; /* odd: writing, or dead while writing; the record */
	} bucket[BUCKETS];
};

/* Bytes to lock, far beyond the end of the lock file. */
#define PRESENCE (INT64_C(1) << 40)
#define GROW (PRESENCE + 1)
#define BUCKET (PRESENCE + 4096)

static struct store {
	char path[4096], lock_path[4096 + 8];
	bool read_only, no_sync;
	int fd, lock_fd;
	struct header h;
	uint64_t generation, mapped;
	uint8_t *file;
	struct session *s; /* NULL: nobody can write */
} st = { .fd = -1, .lock_fd = -1 };

#define LOAD(p) __atomic_load_n(p, __ATOMIC_SEQ_CST)
#define STORE(p, v) __atomic_store_n(p, v, __ATOMIC_SEQ_CST)
#define ADD(p, v) __atomic_add_fetch(p, v, __ATOMIC_SEQ_CST)

/* 0, or the errno: EAGAIN, EDEADLK. */
static int lock_range(int command, short type, int64_t from, int64_t length)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET, .l_start = from, .l_len = length };
	int r;

	do
		r = fcntl(st.lock_fd, command, &l);
	while (r == -1 && errno == EINTR);
	return r == -1 ? (errno == EACCES ? EAGAIN : errno) : 0;
}

static void lock(short type, int64_t from, int64_t length)
{
	int error = lock_range(F_SETLKW, type, from, length);

	if (error)
		die("lock %s: %s", st.lock_path, strerror(error));
}

static void unlock(int64_t from, int64_t length)
{
	lock(F_UNLCK, from, length);
}

static void lock_all(short type)
{
	lock(type, BUCKET, BUCKETS);
}

static uint64_t file_size(int fd)
{
	struct stat s;

	if (fstat(fd, &s) == -1)
		die("stat %s: %s", st.path, strerror(errno));
	if (!S_ISREG(s.st_mode))
		die("%s: not a store of kvstore: not a plain file", st.path);
	return (uint64_t)s.st_size;
}

static void __attribute__((noreturn)) damaged(uint64_t at, const char *what)
{
	die("%s: damaged at byte %llu: %s", st.path, (unsigned long long)at, what);
}

static void close_file(void)
{
	if (st.fd == -1)
		return;
	munmap(st.file, st.mapped);
	close(st.fd);
	st.fd = -1;
}

/* False if there is no such file. */
static bool open_file(void)
{
	struct header *h = &st.h;
	ssize_t n;
	uint64_t size;

	close_file();
	st.fd = open(st.path, O_RDWR | O_CLOEXEC);
	st.read_only = st.fd == -1 && (errno == EACCES || errno == EROFS || errno == EPERM);
	if (st.read_only)
		st.fd = open(st.path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (st.fd == -1 && errno == ENOENT)
		return false;
	if (st.fd == -1)
		die("open %s: %s", st.path, strerror(errno));
	size = file_size(st.fd);
	n = pread(st.fd, h, sizeof(*h), 0);
	if (n < 8 || memcmp(h->magic, MAGIC, 8))
		die("%s: not a store of kvstore", st.path);
	if (n < 60)
		die("%s: damaged: cut off in the header", st.path);
	if (h->sum != crc32c(h, 56))
		die("%s: damaged: the header's checksum is wrong", st.path);
	if (h->bits < BUCKET_BITS || h->bits > 40 || h->base < start_of(h) || h->size < h->base || h->size > POS_MASK)
		die("%s: damaged: the header makes no sense", st.path);
	if (size < h->size)
		die("%s: damaged: cut off, %llu bytes of at least %llu", st.path, (unsigned long long)size,
			(unsigned long long)h->size);
	for (st.mapped = 4 * size > UINT64_C(64) << 30 ? 4 * size : UINT64_C(64) << 30;; st.mapped /= 2) {
		st.file = mmap(NULL, st.mapped, PROT_READ, MAP_SHARED | MAP_NORESERVE, st.fd, 0);
		if (st.file != MAP_FAILED)
			return true;
		if (st.mapped < 2 * size)
			die("mmap %s: %s", st.path, strerror(errno));
	}
}

/* The file at a place, of which so much must be there. */
static uint8_t *at(uint64_t pos, uint64_t length)
{
	static uint64_t size; /* as last seen, of the file with this salt */
	static uint64_t salt;

	if (pos + length > size || salt != st.h.salt) {
		size = file_size(st.fd);
		salt = st.h.salt;
		if (pos + length > size || pos + length > st.mapped)
			damaged(pos, "cut off");
	}
	return st.file + pos;
}

static uint64_t follow(uint64_t place)
{
	uint64_t word = LOAD((uint64_t *)at(place, 8)), pos = word & POS_MASK;

	if (word != link_to(&st.h, place, pos))
		damaged(place, "a link's check is wrong");
	if (pos && (pos < start_of(&st.h) || pos % ALIGN))
		damaged(place, "a link leads nowhere");
	return pos;
}

static bool try_write(int fd, const void *data, uint64_t n, uint64_t where)
{
	const uint8_t *p = data;

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

static void write_all(int fd, const char *path, const void *data, uint64_t n, uint64_t where)
{
	if (!try_write(fd, data, n, where))
		die("write %s: %s", path, strerror(errno));
}

static void set_link(uint64_t place, uint64_t pos)
{
	uint64_t word = link_to(&st.h, place, pos);

	write_all(st.fd, st.path, &word, 8, place);
}

static struct record *record_at(uint64_t pos)
{
	struct record *r = (struct record *)at(pos, RECORD_HEADER);

	if (!head_ok(&st.h, pos, r))
		damaged(pos, "the checksum of a record's header is wrong");
	at(pos, size_of(r));
	if (r->sum != crc32c(r->key, klen_of(r) + r->vlen))
		damaged(pos, "the checksum of a record is wrong");
	return r;
}

/* The newest record of a key in the chain that begins with a link, 0 for none; *place is
 * where the link to it stands. */
static uint64_t find(uint64_t *place, uint64_t hash, const uint8_t *key, size_t n)
{
	uint64_t before = POS_MASK, pos;

	while ((pos = follow(*place))) {
		if (pos >= before)
			damaged(*place, "a chain goes backwards");
		if (((struct record *)at(pos, RECORD_HEADER))->hash == hash && same_key(record_at(pos), key, n))
			return pos;
		before = pos;
		*place = pos + LINK_AT;
	}
	return 0;
}

#endif
