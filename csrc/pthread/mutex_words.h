/* The words of a mutex, which may be looked at beside libc's own type: see unp_pthread.h. */
#ifndef MUTEX_WORDS_H
#define MUTEX_WORDS_H

#include "trial.h"

enum { HELD = 1, CONTENDED = 2, ROBUST = 16, SHARED = 128, NO_ELISION = 512 };

struct __attribute__((may_alias)) words {
	uint32_t lock, count;
	int32_t owner;
	uint32_t users, kind;
};

static inline struct words words(pthread_mutex_t *m)
{
	struct words *w = (struct words *)m;
	return (struct words){ .lock = __atomic_load_n(&w->lock, __ATOMIC_ACQUIRE), .count = w->count,
			       .owner = w->owner, .users = w->users, .kind = w->kind };
}

static inline bool are(pthread_mutex_t *m, uint32_t lock, int32_t owner, uint32_t users)
{
	struct words w = words(m);
	return w.lock == lock && w.owner == owner && w.users == users;
}

/* Whether the lock word becomes this. */
static inline bool becomes(pthread_mutex_t *m, uint32_t lock)
{
	AWAIT(words(m).lock == lock);
	return words(m).lock == lock;
}

/* Initialises one; kind is what is to stand in it, without NO_ELISION. */
static inline bool init(pthread_mutex_t *m, int type, int kind)
{
	pthread_mutexattr_t a;
	pthread_mutexattr_init(&a);
	pthread_mutexattr_settype(&a, type);
	pthread_mutexattr_setrobust(&a, kind & ROBUST ? PTHREAD_MUTEX_ROBUST : PTHREAD_MUTEX_STALLED);
	pthread_mutexattr_setpshared(&a, kind & SHARED ? PTHREAD_PROCESS_SHARED : PTHREAD_PROCESS_PRIVATE);
	int error = pthread_mutex_init(m, &a);
	pthread_mutexattr_destroy(&a);
	if (kind & ROBUST)
		kind |= SHARED; /* as glibc has it */
	return error == 0 && (words(m).kind | NO_ELISION) == (uint32_t)(kind | NO_ELISION);
}

#endif
