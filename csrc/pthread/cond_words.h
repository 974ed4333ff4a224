/*
 * What gobind/pthread takes a pthread_cond_t for, that of glibc 2.25 to 2.40 on 64-bit
 * processors, and one who waits there: see unp_pthread.h. Those that wait are in two groups,
 * G1, whose members signals are for, and G2, into which they come. When the signals of G1 have
 * all been sent, the next signal closes it and lets the groups change places.
 */
#ifndef COND_WORDS_H
#define COND_WORDS_H

#include <limits.h>
#include <linux/futex.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { COND_SHARED = 1, COND_MONOTONIC = 2, COND_DESTROYED = 4, WAITER = 8 }; /* in waiters */
enum { CLOSED = 1, SIGNAL = 2 };			  /* in signals */
enum { ASKED_FOR = 1, REFERENCE = 2 };			  /* in references */

struct __attribute__((may_alias)) cond_words {
	uint64_t came;		/* twice the number of those that ever came, and which group is G2 */
	uint64_t g1_from;	/* twice the number of those that had come before G1's first, and which is G2 */
	uint32_t references[2]; /* to each group, which cannot be used anew meanwhile */
	uint32_t unsignalled[2];
	uint32_t g1_size;	/* times 4, when it became G1; below it a lock */
	uint32_t waiters;
	uint32_t signals[2];	/* that nobody has taken yet */
};

/* One that waits. */
struct ticket {
	uint64_t number;
	unsigned group;
};

static inline uint32_t cond_load(uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static inline void cond_futex(struct cond_words *c, uint32_t *word, int operation, uint32_t value)
{
	if (!(cond_load(&c->waiters) & COND_SHARED))
		operation |= FUTEX_PRIVATE_FLAG;
	syscall(SYS_futex, word, operation, value, NULL, NULL, 0);
}

/* Comes to wait, with the mutex. */
static inline struct ticket cond_come(struct cond_words *c)
{
	uint64_t came = __atomic_fetch_add(&c->came, 2, __ATOMIC_ACQUIRE);

	__atomic_fetch_add(&c->waiters, WAITER, __ATOMIC_RELAXED);
	return (struct ticket){ .number = came >> 1, .group = came & 1 };
}

/* Goes. Who destroys the condition waits for the last. */
static inline void cond_go(struct cond_words *c)
{
	bool shared = cond_load(&c->waiters) & COND_SHARED;
	uint32_t before = __atomic_fetch_sub(&c->waiters, WAITER, __ATOMIC_RELEASE);

	if ((before & ~(uint32_t)(COND_SHARED | COND_MONOTONIC)) == (WAITER | COND_DESTROYED))
		syscall(SYS_futex, &c->waiters, shared ? FUTEX_WAKE : FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

static inline void cond_refer(struct cond_words *c, unsigned group)
{
	__atomic_fetch_add(&c->references[group], REFERENCE, __ATOMIC_ACQUIRE);
}

/* Whoever wants to use the group anew waits for the last. */
static inline void cond_leave(struct cond_words *c, unsigned group)
{
	if (__atomic_fetch_sub(&c->references[group], REFERENCE, __ATOMIC_RELEASE) != (REFERENCE | ASKED_FOR))
		return;
	__atomic_fetch_and(&c->references[group], ~(uint32_t)ASKED_FOR, __ATOMIC_RELAXED);
	cond_futex(c, &c->references[group], FUTEX_WAKE, INT_MAX);
}

static inline uint64_t cond_g1_from(struct cond_words *c)
{
	return __atomic_load_n(&c->g1_from, __ATOMIC_RELAXED);
}

/* Whether his group was closed, so that he has been woken. */
static inline bool cond_closed(struct cond_words *c, struct ticket t)
{
	return cond_load(&c->signals[t.group]) & CLOSED || t.number < cond_g1_from(c) >> 1;
}

/* Takes a signal for his group, if there is one. */
static inline bool cond_take(struct cond_words *c, unsigned group)
{
	uint32_t n = cond_load(&c->signals[group]);

	while (n != 0 && !(n & CLOSED))
		if (__atomic_compare_exchange_n(&c->signals[group], &n, n - SIGNAL, true, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return true;
	return false;
}

/*
 * Gives one back that may have been for a member of a later group in the same place, where
 * G1 is that group; or that one would sleep on.
 */
static inline void cond_give_back(struct cond_words *c, struct ticket t)
{
	uint64_t from = cond_g1_from(c);
	uint32_t n = __atomic_load_n(&c->signals[t.group], __ATOMIC_RELAXED);

	if (t.number >= from >> 1 || (from & 1) == t.group)
		return;
	while (cond_g1_from(c) == from)
		if (n & CLOSED || __atomic_compare_exchange_n(&c->signals[t.group], &n, n + SIGNAL, true, __ATOMIC_RELAXED,
							      __ATOMIC_RELAXED)) {
			cond_futex(c, &c->signals[t.group], FUTEX_WAKE, 1);
			return;
		}
}

#endif
