/*
 * rebuild.h - reading the file from end to end, writing it anew, and checking it.
 */
#ifndef REBUILD_H
#define REBUILD_H

#include <libgen.h>
#include <sys/random.h>
#include "change.h"

struct entry {
	uint64_t hash, pos;
};

static struct {
	struct entry *of;
	size_t n, room;
} records;

static void add_record(uint64_t hash, uint64_t pos)
{
	if (records.n == records.room) {
		records.room = records.room ? 2 * records.room : 1024;
		records.of = realloc(records.of, records.room * sizeof(*records.of));
		if (!records.of)
			die("out of memory");
	}
	records.of[records.n++] = (struct entry){ hash, pos };
}

/*
 * Fills the log with every record of the file, in the order of writing; gives their bytes.
 * What was never finished is passed over: a sector of it is still zero. Where that one has
 * its header, the others stand alone behind it.
 */
static uint64_t scan(void)
{
	uint64_t size = file_size(st.fd), bytes = 0, pos = start_of(&st.h);
	bool behind_zeros = false, headless = false;

	records.n = 0;
	while (pos + RECORD_HEADER <= size) {
		struct record *r = (struct record *)(st.file + pos);

		if (is_zero(st.file + pos, ALIGN)) {
			behind_zeros = true;
			pos += ALIGN;
			continue;
		}
		if (head_ok(&st.h, pos, r)) {
			if (pos + size_of(r) > size)
				damaged(pos, "cut off");
			if (r->sum == crc(0, r->key, klen_of(r) + r->vlen)) {
				add_record(r->hash, pos);
				bytes += size_of(r);
			} else if (pos < st.h.base || !unfinished(st.file + pos, pos, size_of(r))) {
				damaged(pos, "the checksum of a record is wrong");
			}
			behind_zeros = headless = false;
			pos += size_of(r);
			continue;
		}
		headless = headless || (behind_zeros && pos % SECTOR == 0);
		if (pos < st.h.base || !headless)
			damaged(pos, "the checksum of a record's header is wrong");
		pos += ALIGN;
	}
	return bytes;
}

static int by_hash(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return x->pos > y->pos ? -1 : x->pos < y->pos;
}

/* Leaves the newest record of each key in the log, if it is not of a deletion. */
static void newest(void)
{
	size_t kept = 0;
	struct entry *all = allocate(records.n * sizeof(*all));

	if (records.n)
		qsort(records.of, records.n, sizeof(*records.of), by_hash);
	for (size_t i = 0; i < records.n; i++)
		all[i] = records.of[i];
	for (size_t i = 0, first = 0; i < records.n; i++) {
		struct record *r = record_at(all[i].pos);
		size_t k;

		if (all[i].hash != all[first].hash)
			first = i;
		for (k = first; k < i && !same_key(record_at(all[k].pos), r->key, klen_of(r)); k++)
			;
		if (k == i && !(r->klen & TOMBSTONE))
			records.of[kept++] = all[i];
	}
	records.n = kept;
	free(all);
}

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
	write_all(fd, path, table, (size_t)8 << h->bits, HEADER_SIZE);
	h->sum = crc(0, h, 56);
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

/* Compares the log with the chains, and prints what there is. */
static void check(const char *name)
{
	uint64_t all, used = 0, linked = 0, place;

	if (st.s) {
		lock_all(st.read_only ? F_RDLCK : F_WRLCK);
		if (LOAD(&st.s->generation) != st.generation) {
			lock_all(F_UNLCK);
			refresh();
			check(name);
			return;
		}
		for (unsigned b = 0; b < BUCKETS && !st.read_only; b++)
			if (LOAD(&st.s->bucket[b].seq) % 2)
				resolve(b);
	}
	all = scan();
	newest();
	for (size_t i = 0; i < records.n; i++) {
		struct record *r = record_at(records.of[i].pos);

		if (hash_of(&st.h, r->key, klen_of(r)) != r->hash)
			damaged(records.of[i].pos, "the hash is not the key's");
		place = slot_at(&st.h, r->hash);
		if (find(&place, r->hash, r->key, klen_of(r)) != records.of[i].pos)
			damaged(records.of[i].pos, "no chain leads to the newest record of its key");
		used += size_of(r);
	}
	for (uint64_t slot = 0; slot < UINT64_C(1) << st.h.bits; slot++)
		for (uint64_t pos = follow(HEADER_SIZE + 8 * slot); pos; pos = follow(pos + LINK_AT)) {
			if (slot_at(&st.h, record_at(pos)->hash) != HEADER_SIZE + 8 * slot)
				damaged(pos, "a record is in another's chain");
			if (++linked > records.n)
				damaged(pos, "a chain leads to a record that does not count");
		}
	if (st.s && !st.read_only) {
		uint64_t tail = LOAD(&st.s->tail), rest = LOAD(&st.s->allocated) - tail;

		if (!is_zero(at(tail, rest), rest))
			damaged(tail, "there is something behind the last record");
		STORE(&st.s->live, (int64_t)records.n);
		STORE(&st.s->live_bytes, (int64_t)used);
	}
	printf("%s: %zu keys in %llu bytes, %llu bytes of garbage, %d buckets, %llu chains: OK\n", name, records.n,
		(unsigned long long)used, (unsigned long long)(all - used), BUCKETS, 1ULL << st.h.bits);
}

#endif
