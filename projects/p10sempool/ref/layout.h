/* The pool in shared memory, byte for byte that of ../layout.go. */
#ifndef LAYOUT_H
#define LAYOUT_H

#include <pthread.h>
#include <semaphore.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define MAGIC "UNPPOOL"	 /* with its NUL, 8 bytes */
#define MAKING "UNPMAKE" /* a manager is filling it in, or was killed doing so */
#define VERSION 1
#define MAX_SLOTS 1024
#define ENTRIES 1024

enum state { UNUSED, IDLE, WAITING, GRANTED, HOLDING };

/* A worker. state is written last, so that one who is killed leaves a whole entry. */
struct entry {
	uint32_t state;
	uint32_t slot;	  /* that it holds */
	int32_t pid;
	uint32_t worker;  /* its number on the command line */
	uint64_t started; /* field 22 of /proc/PID/stat */
	uint64_t serial;  /* no other worker of this pool has it */
	uint64_t ticket;  /* the order in which workers began to wait */
	uint64_t since;	  /* CLOCK_MONOTONIC, ns: in this state */
	uint64_t reserved[2];
};

/* A connection, as far as workers know it. */
struct slot {
	uint32_t holder; /* entry + 1; 0: free */
	uint32_t dirty;	 /* its holder died, perhaps in the middle of a request */
	uint64_t uses;
};

struct pool {
	char magic[8];
	uint32_t version, slots, entries, sem_size, mutex_size, lends;
	uint64_t size, checksum; /* of all before it but magic */
	_Alignas(64) sem_t available;
	_Alignas(64) pthread_mutex_t lock;
	/* All below is under the lock. */
	_Alignas(64) int32_t manager;
	uint32_t closed;
	uint64_t manager_started;
	char address[32]; /* of its socket, abstract, without the leading NUL; "" if it lends none */
	uint32_t free, waiting; /* follow from the entries, see repair */
	uint64_t serials, tickets;
	uint64_t lent, released, reclaimed, gave_up, overtaken, longest_wait;
	uint64_t seen, completed, failed, died; /* workers */
	_Alignas(512) struct entry table[ENTRIES];
	struct slot slot[MAX_SLOTS];
};

_Static_assert(offsetof(struct pool, checksum) == 40 && offsetof(struct pool, available) == 64 &&
	offsetof(struct pool, lock) == 128 && offsetof(struct pool, manager) == 192 &&
	offsetof(struct pool, serials) == 248 && offsetof(struct pool, table) == 512 &&
	sizeof(struct entry) == 64 && sizeof(struct pool) == 512 + 64 * ENTRIES + 16 * MAX_SLOTS, "layout");

/* FNV-1a of the header, so that no single field can be wrong unnoticed. */
static inline uint64_t checksum(const struct pool *p)
{
	uint64_t h = 0xcbf29ce484222325;
	for (size_t i = offsetof(struct pool, version); i < offsetof(struct pool, checksum); i++)
		h = (h ^ ((const unsigned char *)p)[i]) * 0x100000001b3;
	return h;
}

static inline void init_mutex(pthread_mutex_t *m)
{
	pthread_mutexattr_t attr;
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_NORMAL); /* glibc: not the default's bits */
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(m, &attr);
	pthread_mutexattr_destroy(&attr);
}

/* Why the memory is no pool of ours, NULL if it is one. */
static inline const char *unfit(const struct pool *p, size_t size)
{
	static char why[96];
	pthread_mutex_t fresh;
	if (size < 64 || memcmp(p->magic, MAGIC, 8))
		return "not a connection pool";
	if (p->version != VERSION) {
		snprintf(why, sizeof why, "version %u of the layout, not %d", p->version, VERSION);
		return why;
	}
	if (p->checksum != checksum(p))
		return "the header is damaged";
	if (p->size != size || p->size != sizeof *p || p->entries != ENTRIES || p->slots < 1 ||
		p->slots > MAX_SLOTS || p->sem_size != sizeof(sem_t) || p->mutex_size != sizeof(pthread_mutex_t))
		return "another layout";
	/* Of a mutex of another kind libc would do what it likes, abort included. */
	init_mutex(&fresh);
	if (p->lock.__data.__kind != fresh.__data.__kind)
		return "the lock is damaged";
	return NULL;
}

#endif
