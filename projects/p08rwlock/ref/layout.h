/* The lock as it lies in memory: as in ../layout.go, programs in Go use the same one. */
#ifndef LAYOUT_H
#define LAYOUT_H

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum policy { PREFER_READER = 1, PREFER_WRITER = 2, FAIR = 3 };
enum kind { READER, WRITER };

#define MYRWLOCK_MAGIC 0x314c5752u /* "RWL1" */
#define WAITERS 1024		   /* places in the queue of a fair lock */
#define TURNS 16		   /* condition variables that they share */
#define NOBODY 0xffffu

struct place {
	uint16_t next;	  /* in the queue, or of the free places */
	uint16_t prev;	  /* in the queue */
	uint16_t kind;
	uint16_t granted; /* has left the queue and holds the lock */
};

struct myrwlock {
	uint32_t magic; /* stored last */
	uint32_t policy;
	uint32_t readers;	  /* who hold it */
	uint32_t writer;	  /* 1 while it is held for writing */
	uint32_t waiting_readers; /* who wait */
	uint32_t waiting_writers;
	/* The queue: first and last place of those who wait, free ones, how many were used. */
	uint16_t head, tail, free, used;
	_Alignas(64) pthread_mutex_t mutex;
	_Alignas(64) pthread_cond_t readable;
	_Alignas(64) pthread_cond_t writable;
	struct {
		_Alignas(64) pthread_cond_t cond;
	} turn[TURNS];
	struct place place[WAITERS];
};

_Static_assert(sizeof(pthread_mutex_t) <= 64 && sizeof(pthread_cond_t) <= 64, "layout");
_Static_assert(offsetof(struct myrwlock, place) == 64 * (4 + TURNS), "layout");

/* A mutex of several processes tells when one died with it. */
static inline int myrwlock_init(struct myrwlock *l, enum policy policy, bool shared)
{
	int share = shared ? PTHREAD_PROCESS_SHARED : PTHREAD_PROCESS_PRIVATE, error;
	pthread_mutexattr_t ma;
	pthread_condattr_t ca;

	memset(l, 0, sizeof *l);
	l->policy = policy;
	l->head = l->tail = l->free = NOBODY;
	pthread_mutexattr_init(&ma);
	pthread_mutexattr_setpshared(&ma, share);
	if (shared)
		pthread_mutexattr_setrobust(&ma, PTHREAD_MUTEX_ROBUST);
	pthread_condattr_init(&ca);
	pthread_condattr_setpshared(&ca, share);
	error = pthread_mutex_init(&l->mutex, &ma);
	if (!error)
		error = pthread_cond_init(&l->readable, &ca);
	if (!error)
		error = pthread_cond_init(&l->writable, &ca);
	for (int i = 0; !error && i < TURNS; i++)
		error = pthread_cond_init(&l->turn[i].cond, &ca);
	pthread_condattr_destroy(&ca);
	pthread_mutexattr_destroy(&ma);
	if (!error)
		__atomic_store_n(&l->magic, MYRWLOCK_MAGIC, __ATOMIC_RELEASE);
	return error;
}

static inline int myrwlock_destroy(struct myrwlock *l)
{
	if (l->readers || l->writer || l->waiting_readers || l->waiting_writers)
		return EBUSY;
	l->magic = 0;
	for (int i = 0; i < TURNS; i++)
		pthread_cond_destroy(&l->turn[i].cond);
	pthread_cond_destroy(&l->writable);
	pthread_cond_destroy(&l->readable);
	return pthread_mutex_destroy(&l->mutex);
}

#endif
