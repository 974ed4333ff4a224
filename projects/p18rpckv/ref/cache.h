/*
 * Reading a server's cache in shared memory. Package cache documents the layout and says why
 * nothing is ever torn; the server writes it.
 */
#ifndef CACHE_H
#define CACHE_H

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "crc.h"

enum {
	CACHE_WAYS = 8,
	CACHE_INDEX = 4096, /* where it begins, bytes */
	CACHE_MAX_KEY = 1024,
	CACHE_MAX_VALUE = 65536,
	CACHE_HEAD = 4, /* words before a record's key */
	CACHE_LONGEST = CACHE_HEAD + (CACHE_MAX_KEY + CACHE_MAX_VALUE + 7) / 8,
};

struct cache_header {
	char magic[8];
	uint32_t version, mutex_size;
	uint64_t size, buckets, capacity; /* bytes, a power of two, words */
	int32_t pid;
	uint32_t sum; /* of all from version on */
};

struct cache_shared {
	struct cache_header header;
	char spare[64 - sizeof(struct cache_header)];
	_Atomic uint32_t owner; /* the first word of a robust mutex */
	uint32_t mutex[15];
	_Atomic uint64_t reserved, applied, as_of, closed;
};

_Static_assert(sizeof(pthread_mutex_t) <= 64 && offsetof(struct cache_shared, reserved) == 128, "the layout");

struct cache {
	const struct cache_shared *shared;
	const _Atomic uint64_t *index, *arena;
	uint64_t buckets, capacity;
	size_t size;
	pid_t pid; /* of the server, as it knew its own number */
};

enum cache_life { CACHE_ALIVE, CACHE_DEAD, CACHE_CLOSED };

struct cache_found {
	bool present, damaged;
	uint64_t revision, index; /* of the write; all writes up to this one are known ... */
	uint64_t age_ns;	  /* ... since so long ago at least */
	size_t size;
	const char *value; /* within buffer */
	uint64_t buffer[CACHE_LONGEST];
};

static inline bool cache_fits(const struct cache_header *h, off_t size)
{
	const uint64_t most = 1 << 30;

	return memcmp(h->magic, "UNPCACHE", 8) == 0 && h->version == 1 && h->mutex_size == sizeof(pthread_mutex_t) &&
	       h->sum == crc32c(0, &h->version, offsetof(struct cache_header, sum) - offsetof(struct cache_header, version)) &&
	       size >= CACHE_INDEX && (uint64_t)size <= most && h->size == (uint64_t)size && h->buckets && h->buckets <= most &&
	       (h->buckets & (h->buckets - 1)) == 0 && h->capacity >= CACHE_LONGEST && h->capacity <= most &&
	       CACHE_INDEX + h->buckets * CACHE_WAYS * 8 + h->capacity * 8 == h->size;
}

/* Opens a cache for reading; NULL, or why it cannot be read. */
static inline const char *cache_open(struct cache *c, const char *name)
{
	struct cache_header h;
	const char *why = NULL;
	struct stat st;
	void *memory = MAP_FAILED;
	int fd = shm_open(name, O_RDONLY, 0);

	*c = (struct cache){ .pid = -1 };
	if (fd == -1)
		return strerror(errno);
	if (fstat(fd, &st) == -1)
		why = strerror(errno);
	else if (st.st_uid != geteuid() || st.st_mode & 022)
		why = strerror(EPERM);
	else if (pread(fd, &h, sizeof(h), 0) != sizeof(h) || !cache_fits(&h, st.st_size))
		why = "not a cache that this program can read";
	else if ((memory = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0)) == MAP_FAILED)
		why = strerror(errno);
	close(fd);
	if (why)
		return why;
	c->shared = memory;
	c->index = (const void *)((const char *)memory + CACHE_INDEX);
	c->arena = c->index + h.buckets * CACHE_WAYS;
	c->buckets = h.buckets;
	c->capacity = h.capacity;
	c->size = (size_t)st.st_size;
	c->pid = h.pid;
	return NULL;
}

static inline void cache_close(struct cache *c)
{
	munmap((void *)(uintptr_t)c->shared, c->size);
}

/* The word of a robust mutex tells of its owner's death, by the kernel's hand. */
static inline enum cache_life cache_life(const struct cache *c)
{
	uint32_t owner = atomic_load(&c->shared->owner);

	if (atomic_load(&c->shared->closed))
		return CACHE_CLOSED;
	if (owner & FUTEX_OWNER_DIED)
		return CACHE_DEAD;
	return owner & FUTEX_TID_MASK ? CACHE_ALIVE : CACHE_CLOSED;
}

/* Whether the arena still has all of the record at a position. */
static inline bool cache_holds(const struct cache *c, uint64_t position)
{
	uint64_t reserved = atomic_load(&c->shared->reserved);

	return position < reserved && reserved - position <= c->capacity;
}

/* Copies the record at a position, if it has this key and is still there. */
static inline void cache_record(const struct cache *c, uint64_t position, uint64_t hash, const char *key, size_t size,
				struct cache_found *f)
{
	const _Atomic uint64_t *from = c->arena + position % c->capacity;
	uint64_t room = c->capacity - position % c->capacity, lengths, key_size, value_size, words = 0;
	const char *text = (const char *)&f->buffer[CACHE_HEAD];
	uint32_t sum;

	if (!cache_holds(c, position))
		return;
	if (room < CACHE_HEAD) {
		f->damaged = true;
		return;
	}
	if (atomic_load(&from[0]) != hash)
		return;
	lengths = atomic_load(&from[2]);
	key_size = lengths & 0xffffffff;
	value_size = lengths >> 32;
	if (key_size <= CACHE_MAX_KEY && value_size <= CACHE_MAX_VALUE)
		words = CACHE_HEAD + (key_size + value_size + 7) / 8;
	if (words > room)
		words = 0;
	/* Each load is before the next look at reserved. */
	for (uint64_t i = 0; i < words; i++)
		f->buffer[i] = atomic_load_explicit(&from[i], memory_order_acquire);
	if (!cache_holds(c, position)) /* what was read may be of two records */
		return;
	sum = crc32c(0, &position, 8);
	sum = crc32c(sum, f->buffer, 24);
	if (!words || f->buffer[2] != lengths || crc32c(sum, text, key_size + value_size) != f->buffer[3]) {
		f->damaged = true;
		return;
	}
	if (key_size != size || memcmp(text, key, size) != 0)
		return;
	f->present = true;
	f->revision = f->buffer[1];
	f->value = text + key_size;
	f->size = value_size;
}

/* Looks for a key; that it is not here says nothing about the store. */
static inline void cache_get(const struct cache *c, const char *key, size_t size, struct cache_found *f)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325), as_of = atomic_load(&c->shared->as_of), now;
	const _Atomic uint64_t *bucket;
	struct timespec t;

	f->index = atomic_load(&c->shared->applied); /* first, so that no write up to it is missed */
	clock_gettime(CLOCK_BOOTTIME, &t);
	now = (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
	f->age_ns = now - as_of;
	f->present = false;
	f->damaged = as_of > now;
	if (f->damaged || !f->index) /* 0: the server has not said yet what is in here */
		return;
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ (uint8_t)key[i]) * UINT64_C(0x100000001b3);
	bucket = c->index + hash % c->buckets * CACHE_WAYS;
	for (int i = 0; i < CACHE_WAYS; i++) {
		uint64_t position = atomic_load(&bucket[i]), before = 0;

		/* A put may move a key's slot on and destroy the old record while that is copied. */
		for (int tries = 0; position && position != before && tries < 10; tries++) {
			cache_record(c, position, hash, key, size, f);
			if (f->present || f->damaged)
				return;
			before = position;
			position = atomic_load(&bucket[i]);
		}
	}
}

/* Finds the caches of this user's servers at a TCP port; to be freed by globfree(3). */
static inline size_t cache_find(unsigned port, glob_t *found)
{
	char pattern[80];

	snprintf(pattern, sizeof(pattern), "/dev/shm/unpipc-kv-%u-?*-%u", (unsigned)geteuid(), port);
	return glob(pattern, 0, NULL, found) == 0 ? found->gl_pathc : 0;
}

#endif
