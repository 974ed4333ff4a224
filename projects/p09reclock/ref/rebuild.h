/*
 * rebuild.h - writing the file anew.
 */
#ifndef REBUILD_H
#define REBUILD_H

#include <libgen.h>
#include <sys/random.h>
#include "scan.h"

static void sync_folder(void)
{
	char copy[sizeof(st.path)];
	int fd;

	strcpy(copy, st.path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return; /* it may not be read: the name will come to the disk in time */
	if (fsync(fd) == -1 && errno != EINVAL)
		STORE(&st.s->failed, (uint64_t)EIO);
	close(fd);
}

/*
 * How much of the table is written at once, which is several of these. Linux keeps what one write brings in one
 * large folio if it can, and each link that is set later would have it look at all blocks of that.
 */
enum { PIECE = 4096 };

/* Writes what is in the log to a new file; old is false if there is none. */
static int successor(const char *path, bool old, struct header *h)
{
	struct stat was = { .st_mode = 0600, .st_uid = (uid_t)-1, .st_gid = (gid_t)-1 };
	uint64_t *table, pos;
	int fd;

	memset(h, 0, sizeof(*h));
	memcpy(h->magic, MAGIC, 8);
	if (getrandom(&h->seed, 8, 0) != 8 || getrandom(&h->salt, 8, 0) != 8)
		die("getrandom: %s", strerror(errno));
	if (old) {
		h->seed = st.h.seed;
		fstat(st.fd, &was);
	}
	for (h->bits = BUCKET_BITS; records.n > (UINT64_C(1) << h->bits); h->bits++)
		;
	unlink(path); /* a killed process's */
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1)
		die("open %s: %s", path, strerror(errno));
	strcpy(half_written, path);
	if (fchmod(fd, was.st_mode & 0777) == -1 || (fchown(fd, was.st_uid, was.st_gid) == -1 && errno != EPERM))
		die("chmod %s: %s", path, strerror(errno));
	table = allocate((size_t)8 << h->bits);
	pos = start_of(h);
	for (size_t i = 0; i < records.n; i++) {
		struct record *from = record_at(records.of[i].pos), *r = allocate(size_of(from));
		uint64_t slot = from->hash >> (64 - h->bits);

		memcpy(r, from, RECORD_HEADER + klen_of(from) + from->vlen);
		r->next = link_to(h, pos + LINK_AT, table[slot]);
		r->head_sum = head_sum(h, pos, r);
		write_all(fd, path, r, size_of(r), pos);
		table[slot] = pos;
		pos += size_of(r);
		free(r);
	}
	h->base = pos;
	h->size = PAGES(pos + (64 << 10));
	if (!extend(fd, pos, h->size))
		die("write %s: %s", path, strerror(errno));
	for (uint64_t slot = 0; slot < UINT64_C(1) << h->bits; slot++)
		table[slot] = link_to(h, HEADER_SIZE + 8 * slot, table[slot]);
	for (size_t n = 0; n < (size_t)8 << h->bits; n += PIECE)
		write_all(fd, path, (char *)table + n, PIECE, HEADER_SIZE + n);
	h->sum = crc32c(h, 56);
	write_all(fd, path, h, 60, 0);
	if (fsync(fd) == -1)
		die("fsync %s: %s", path, strerror(errno));
	free(table);
	return fd;
}

/* Gives the store a new file with the newest record of each key. The caller is alone with
 * the store, or holds all buckets. */
static void rebuild(bool alone)
{
	char path[sizeof(st.path) + 8];
	uint64_t generation = LOAD(&st.s->generation);
	bool old = open_file(); /* whatever has the name now */
	struct header h;

	snprintf(path, sizeof(path), "%s.new", st.path);
	if (!old && !alone)
		die("open %s: %s", st.path, strerror(ENOENT));
	if (!alone && generation % 2 == 0 && st.h.salt != LOAD(&st.s->salt))
		die("%s: it was replaced while in use", st.path);
	records.n = 0;
	if (old) {
		scan();
		newest();
	}
	close(successor(path, old, &h));
	STORE(&st.s->generation, generation | 1);
	if (old ? rename(path, st.path) : link(path, st.path) || unlink(path)) {
		int error = errno;

		STORE(&st.s->generation, generation);
		die("rename %s: %s", path, strerror(error));
	}
	*half_written = '\0';
	STORE(&st.s->salt, h.salt);
	STORE(&st.s->tail, h.base);
	STORE(&st.s->allocated, h.size);
	STORE(&st.s->live, (int64_t)records.n);
	STORE(&st.s->live_bytes, (int64_t)(h.base - start_of(&h)));
	STORE(&st.s->rewrite_at, 0);
	for (unsigned b = 0; b < BUCKETS; b++)
		STORE(&st.s->bucket[b].seq, (LOAD(&st.s->bucket[b].seq) + 1) & ~UINT64_C(1));
	sync_folder();
	STORE(&st.s->generation, (generation | 1) + 1);
}

/* Waits for the end of a rewriting, or does again what a killed process began. */
static void settle(void)
{
	lock_all(F_WRLCK);
	if (LOAD(&st.s->generation) % 2)
		rebuild(false);
	lock_all(F_UNLCK);
}

/* Opens the file that the session is about. False: it is about none. */
static bool join(void)
{
	for (;;) {
		uint64_t g = LOAD(&st.s->generation), least = LOAD(&st.s->allocated);

		if (g % 2) {
			settle();
			continue;
		}
		if (open_file() && st.h.salt == LOAD(&st.s->salt) && file_size(st.fd) < least &&
		    LOAD(&st.s->generation) == g)
			die("%s: damaged: cut off, %llu bytes of %llu", st.path,
				(unsigned long long)file_size(st.fd), (unsigned long long)least);
		if (LOAD(&st.s->generation) != g)
			continue;
		st.generation = g;
		return st.fd != -1 && st.h.salt == LOAD(&st.s->salt);
	}
}

static void refresh(void)
{
	if (!join())
		die("%s: it was replaced while in use", st.path);
}

/* Many dead records, or long chains. */
static bool crowded(void)
{
	int64_t used = (int64_t)(LOAD(&st.s->tail) - start_of(&st.h)), live = LOAD(&st.s->live_bytes);

	return LOAD(&st.s->tail) >= LOAD(&st.s->rewrite_at) &&
		(LOAD(&st.s->live) > INT64_C(2) << st.h.bits || used - live > live + (1 << 20));
}

/* To be called without a lock. Should it fail, the store is as good as before. */
static void rewrite(void)
{
	jmp_buf failure;

	if (!st.s || !crowded() || lock_range(F_SETLKW, F_WRLCK, BUCKET, BUCKETS))
		return;
	if (LOAD(&st.s->generation) == st.generation && !LOAD(&st.s->failed) && crowded()) {
		if (setjmp(failure) == 0) {
			soft = &failure;
			rebuild(false);
		} else {
			uint64_t tail = LOAD(&st.s->tail);

			STORE(&st.s->rewrite_at, tail + (tail / 4 > 1 << 20 ? tail / 4 : 1 << 20));
		}
		soft = NULL;
	}
	lock_all(F_UNLCK);
}

#endif
