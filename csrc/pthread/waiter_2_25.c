/* glibc 2.25 to 2.40: those of a group refer to it while they look and sleep, and it is used anew when nobody does. */
#include "unp_pthread.h"

#include "trial.h"
#include "waiter.h"

enum { CLOSED = 1, SIGNAL = 2 };	/* in signals */
enum { ASKED_FOR = 1, REFERENCE = 2 };	/* in references */

struct __attribute__((may_alias)) words {
	uint64_t came;		/* twice the number, and which group is G2 */
	uint64_t g1_from;	/* the same */
	uint32_t references[2]; /* to each group, which cannot be used anew meanwhile */
	uint32_t unsignalled[2];
	uint32_t g1_size;	/* times 4, when it became G1; below it a lock */
	uint32_t waiters;
	uint32_t signals[2];
};

static void refer(struct words *c, unsigned group)
{
	__atomic_fetch_add(&c->references[group], REFERENCE, __ATOMIC_ACQUIRE);
}

/* Whoever wants to use the group anew waits for the last. */
static void leave(struct words *c, unsigned group)
{
	if (__atomic_fetch_sub(&c->references[group], REFERENCE, __ATOMIC_RELEASE) != (REFERENCE | ASKED_FOR))
		return;
	__atomic_fetch_and(&c->references[group], ~(uint32_t)ASKED_FOR, __ATOMIC_RELAXED);
	cond_futex(&c->waiters, &c->references[group], FUTEX_WAKE, INT_MAX);
}

static uint64_t g1_from(struct words *c)
{
	return __atomic_load_n(&c->g1_from, __ATOMIC_RELAXED);
}

static bool closed(void *p, struct ticket t)
{
	struct words *c = p;

	return cond_load(&c->signals[t.group]) & CLOSED || t.number < g1_from(c) >> 1;
}

static uint32_t signals(void *p, unsigned group)
{
	struct words *c = p;
	uint32_t n = cond_load(&c->signals[group]);

	return n & CLOSED ? 0 : n / SIGNAL;
}

static bool take(void *p, unsigned group)
{
	struct words *c = p;
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
static void give_back(struct words *c, struct ticket t)
{
	uint64_t from = g1_from(c);
	uint32_t n = __atomic_load_n(&c->signals[t.group], __ATOMIC_RELAXED);

	if (t.number >= from >> 1 || (from & 1) == t.group)
		return;
	while (g1_from(c) == from)
		if (n & CLOSED || __atomic_compare_exchange_n(&c->signals[t.group], &n, n + SIGNAL, true, __ATOMIC_RELAXED,
							      __ATOMIC_RELAXED)) {
			cond_futex(&c->waiters, &c->signals[t.group], FUTEX_WAKE, 1);
			return;
		}
}

static void await(void *p, struct ticket t)
{
	struct words *c = p;

	while (!(cond_load(&c->signals[t.group]) & CLOSED)) {
		if (take(c, t.group)) {
			give_back(c, t);
			return;
		}
		refer(c, t.group);
		bool over = closed(c, t);
		if (!over)
			cond_futex(&c->waiters, &c->signals[t.group], FUTEX_WAIT, 0);
		leave(c, t.group);
		if (over)
			return;
	}
}

static bool is(void *c, struct cond_state s, int flags)
{
	struct words want = { .came = 2 * s.came + s.g2, .g1_from = 2 * s.g1_from + s.g2, .g1_size = 4 * s.g1_size,
			      .unsignalled = { s.unsignalled[0], s.unsignalled[1] },
			      .waiters = WAITER * s.waiters + (uint32_t)flags,
			      .signals = { SIGNAL * s.signals[0], SIGNAL * s.signals[1] } };

	return memcmp(c, &want, sizeof(want)) == 0;
}

static void *send(void *c)
{
	return pthread_cond_signal(c) == 0 ? c : NULL;
}

/* The signal waits for who still refers to the group, and he learns of it. */
static bool close_group(void *p, struct ticket t)
{
	struct words *c = p;
	pthread_t thread;
	void *sent;

	refer(c, t.group);
	if (start_trial(&thread, send, c) != 0)
		return false;
	AWAIT(cond_load(&c->references[t.group]) == (REFERENCE | ASKED_FOR));
	bool ok = cond_load(&c->references[t.group]) == (REFERENCE | ASKED_FOR) && closed(c, t) && !take(c, t.group);
	leave(c, t.group);
	pthread_join(thread, &sent);
	return ok && sent;
}

_Static_assert(sizeof(struct words) <= sizeof(pthread_cond_t), "pthread_cond_t has fewer words");

const struct waiter_kind waiter_2_25 = { offsetof(struct words, waiters), closed, signals, take, await, is, close_group };
