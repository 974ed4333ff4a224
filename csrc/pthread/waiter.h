/*
 * One who waits at a pthread_cond_t, made of its words: see unp_pthread.h. glibc has had two
 * ways to do it on 64-bit processors, since 2.25 and since 2.41. In both, those that wait are in
 * two groups, G1, whose members signals are for, and G2, into which they come. When the signals
 * of G1 have all been sent, the next signal closes it and lets the groups change places.
 */
#ifndef WAITER_H
#define WAITER_H

#include <limits.h>
#include <linux/futex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { COND_SHARED = 1, COND_MONOTONIC = 2, COND_DESTROYED = 4, WAITER = 8 }; /* in the word of waiters */

typedef uint32_t __attribute__((may_alias)) cond_word;
typedef uint64_t __attribute__((may_alias)) cond_number;

struct ticket {
	uint64_t number; /* of those that came before him, ever */
	unsigned group;
};

/* What is in a condition, beside its flags, while nobody has its lock. */
struct cond_state {
	uint64_t came, g1_from; /* those that ever came, and those that had before the first of G1 */
	unsigned g2;
	uint32_t unsignalled[2], g1_size, waiters;
	uint32_t signals[2]; /* that nobody has taken yet */
};

struct waiter_kind {
	size_t waiters; /* the offset of their word; that of those who ever came is the first */
	bool (*closed)(void *c, struct ticket t); /* his group was, so that he has been woken */
	uint32_t (*signals)(void *c, unsigned group); /* for the group, that nobody has taken yet */
	bool (*take)(void *c, unsigned group); /* one of them, if there is one */
	void (*await)(void *c, struct ticket t); /* sleeps until he has one, or his group was closed */
	/* For the trial: whether this is so; and whether a signal closes his group as it should. */
	bool (*is)(void *c, struct cond_state s, int flags);
	bool (*close)(void *c, struct ticket t);
};

extern const struct waiter_kind waiter_2_25, waiter_2_41;

/* The kind that this libc's conditions are of, which it tries; NULL if there is none. */
const struct waiter_kind *cond_try_waits(void);

static inline uint32_t cond_load(cond_word *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static inline void cond_futex(cond_word *waiters, cond_word *word, int operation, uint32_t value)
{
	if (!(cond_load(waiters) & COND_SHARED))
		operation |= FUTEX_PRIVATE_FLAG;
	syscall(SYS_futex, word, operation, value, NULL, NULL, 0);
}

static inline cond_word *cond_waiters(const struct waiter_kind *k, void *c)
{
	return (cond_word *)((char *)c + k->waiters);
}

/* Comes to wait, with the mutex. */
static inline struct ticket cond_come(const struct waiter_kind *k, void *c)
{
	uint64_t before = __atomic_fetch_add((cond_number *)c, 2, __ATOMIC_ACQUIRE);

	__atomic_fetch_add(cond_waiters(k, c), WAITER, __ATOMIC_RELAXED);
	return (struct ticket){ .number = before >> 1, .group = before & 1 };
}

/* Goes. Who destroys the condition waits for the last, after which it may be gone. */
static inline void cond_go(const struct waiter_kind *k, void *c)
{
	cond_word *waiters = cond_waiters(k, c);
	bool shared = cond_load(waiters) & COND_SHARED;
	uint32_t before = __atomic_fetch_sub(waiters, WAITER, __ATOMIC_RELEASE);

	if ((before & ~(uint32_t)(COND_SHARED | COND_MONOTONIC)) == (WAITER | COND_DESTROYED))
		syscall(SYS_futex, waiters, shared ? FUTEX_WAKE : FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

#endif
