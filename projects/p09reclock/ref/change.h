/*
 * change.h - setting and deleting, and putting right what a killed process left.
 */
#ifndef CHANGE_H
#define CHANGE_H

#include "store.h"

static void refresh(void);

/* One that failed is not made good by another: the kernel has given the pages up. */
static void flush(void)
{
	if (fdatasync(st.fd) == -1) {
		STORE(&st.s->failed, (uint64_t)errno);
		die("fdatasync %s: %s", st.path, strerror(errno));
	}
}

/* The record counts from now on; the key's old one, linked at a place, no longer does. */
static void commit(uint64_t pos, uint64_t old, uint64_t place)
{
	struct record *r = record_at(pos);
	uint64_t slot = slot_at(&st.h, r->hash);
	bool gone = r->klen & TOMBSTONE;

	if (!gone)
		set_link(slot, pos);
	if (old && (gone || place != slot))
		set_link(place, follow(old + LINK_AT));
	if (!st.no_sync)
		flush();
	if (old) {
		ADD(&st.s->live, -1);
		ADD(&st.s->live_bytes, -(int64_t)size_of(record_at(old)));
	}
	if (!gone) {
		ADD(&st.s->live, 1);
		ADD(&st.s->live_bytes, (int64_t)size_of(r));
	}
}

/* Ends what a killed process began in a bucket: all of it, or nothing. */
static void resolve(unsigned b)
{
	uint64_t pos = LOAD(&st.s->bucket[b].pending), size = file_size(st.fd);
	struct record *r = (struct record *)(st.file + pos);

	if (pos + RECORD_HEADER <= size && head_ok(&st.h, pos, r) && pos + size_of(r) <= size &&
	    r->sum == crc32c(r->key, klen_of(r) + r->vlen) && bucket_of(r->hash) == b) {
		uint64_t place = slot_at(&st.h, r->hash), old = find(&place, r->hash, r->key, klen_of(r));

		if (old == pos) { /* linked; an older one may be so, too */
			place = pos + LINK_AT;
			old = find(&place, r->hash, r->key, klen_of(r));
		}
		if (old <= pos)
			commit(pos, old, place);
	}
	ADD(&st.s->bucket[b].seq, 1);
}

/* Locks a key's bucket in the file that is now the store's, and has it in order. */
static unsigned lock_bucket(short type, const uint8_t *key, size_t n)
{
	for (;;) {
		unsigned b = bucket_of(hash_of(&st.h, key, n));
		bool odd;

		lock(type, BUCKET + b, 1);
		odd = LOAD(&st.s->bucket[b].seq) % 2 && !st.read_only;
		if (LOAD(&st.s->generation) == st.generation && LOAD(&st.s->allocated) <= st.mapped) {
			if (odd && type == F_WRLCK)
				resolve(b);
			if (!odd || type == F_WRLCK)
				return b;
			type = F_WRLCK;
		}
		unlock(BUCKET + b, 1);
		refresh();
	}
}

/* Zeros that are written, so that there is room on the disk. */
static bool extend(int fd, uint64_t from, uint64_t to)
{
	static const uint8_t zeros[1 << 16];
	bool done = true;

	for (; done && from < to; from += sizeof(zeros))
		done = try_write(fd, zeros, to - from < sizeof(zeros) ? to - from : sizeof(zeros), from);
	return done;
}

#define PAGES(n) (((n) + 4095) & ~UINT64_C(4095))

static void grow(uint64_t from, uint64_t need)
{
	uint64_t step = from / 8 < 64 << 10 ? 64 << 10 : from / 8 > 4 << 20 ? 4 << 20 : from / 8;
	uint64_t to = PAGES(need > from + step ? need : from + step);

	lock(F_WRLCK, GROW, 1);
	if (LOAD(&st.s->allocated) == from) {
		if (!extend(st.fd, from, to)) {
			to = PAGES(need);
			if (!extend(st.fd, from, to))
				die("write %s: %s", st.path, strerror(errno));
		}
		flush(); /* a record that is cut off by the file's end is damage, not a crash */
		STORE(&st.s->allocated, to);
	}
	unlock(GROW, 1);
}

/* Room at the end of the file, all zero. */
static uint64_t reserve(uint64_t size)
{
	for (;;) {
		uint64_t pos = LOAD(&st.s->tail), allocated = LOAD(&st.s->allocated);

		if (pos + size > allocated) {
			grow(allocated, pos + size);
			continue;
		}
		if (!__atomic_compare_exchange_n(&st.s->tail, &pos, pos + size, false, __ATOMIC_SEQ_CST,
			__ATOMIC_SEQ_CST))
			continue;
		if (!is_zero(at(pos, size), RECORD_HEADER)) {
			STORE(&st.s->failed, (uint64_t)ESTALE);
			die("%s: the lock file does not fit: there is something at byte %llu", st.path,
				(unsigned long long)pos);
		}
		return pos;
	}
}

/* Sets a value, or deletes the key where value is NULL. False: no such key. */
static bool put(const uint8_t *key, size_t klen, const uint8_t *value, size_t vlen)
{
	unsigned b;
	uint64_t hash = hash_of(&st.h, key, klen), slot, place, old, head, size, pos;
	struct record *r;

	if (st.read_only)
		die("%s: the store may not be written: %s", st.path, strerror(EACCES));
	b = lock_bucket(F_WRLCK, key, klen);
	if (LOAD(&st.s->failed))
		die("%s: a flush has failed: %s", st.path, strerror((int)LOAD(&st.s->failed)));
	place = slot = slot_at(&st.h, hash);
	old = find(&place, hash, key, klen);
	if (!value && !old) {
		unlock(BUCKET + b, 1);
		return false;
	}
	/* The old record is left out at once where it is the first of its chain. */
	head = old && place == slot ? follow(old + LINK_AT) : follow(slot);
	size = record_size(klen, vlen);
	pos = reserve(size);
	r = allocate(size);
	r->klen = (uint32_t)klen | (value ? 0 : TOMBSTONE);
	r->vlen = (uint32_t)vlen;
	r->hash = hash;
	r->next = link_to(&st.h, pos + LINK_AT, head);
	memcpy(r->key, key, klen);
	if (value)
		memcpy(r->key + klen, value, vlen);
	r->sum = crc32c(r->key, klen + vlen);
	r->head_sum = head_sum(&st.h, pos, r);
	STORE(&st.s->bucket[b].pending, pos);
	ADD(&st.s->bucket[b].seq, 1);
	if (!try_write(st.fd, r, size, pos)) {
		int error = errno;

		memset(r, 0, size);
		(void)try_write(st.fd, r, size, pos); /* half a record would look like damage */
		ADD(&st.s->bucket[b].seq, 1);
		die("write %s: %s", st.path, strerror(error));
	}
	commit(pos, old, place);
	ADD(&st.s->bucket[b].seq, 1);
	free(r);
	unlock(BUCKET + b, 1);
	return true;
}

/* A copy of the value, or NULL. */
static uint8_t *get(const uint8_t *key, size_t n, size_t *length)
{
	uint64_t hash = hash_of(&st.h, key, n);
	unsigned b = bucket_of(hash);

	for (int try = 0;; try++) {
		bool locked = st.s && try >= 4;
		uint64_t seq = 0, place, pos;
		struct record *r;
		uint8_t *value = NULL;

		if (locked)
			lock_bucket(F_RDLCK, key, n);
		else if (st.s && LOAD(&st.s->generation) - st.generation > 1)
			refresh();
		if (st.s)
			seq = LOAD(&st.s->bucket[b].seq);
		if (!locked && seq % 2) {
			try = 3;
			continue;
		}
		place = slot_at(&st.h, hash);
		pos = find(&place, hash, key, n);
		if (pos) {
			r = record_at(pos);
			value = allocate(r->vlen);
			memcpy(value, r->key + n, r->vlen);
			*length = r->vlen;
		}
		if (locked)
			unlock(BUCKET + b, 1);
		if (!st.s || locked || LOAD(&st.s->bucket[b].seq) == seq)
			return value;
		free(value);
	}
}

#endif
