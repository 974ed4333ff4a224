/* glibc from 2.41 on: signals are counted from the number of the group's first, so that nobody takes one of a later group. */
#include "unp_pthread.h"

#include "waiter.h"

struct __attribute__((may_alias)) words {
	uint64_t came; /* twice the number, and which group is G2 */
	uint64_t g1_from;
	uint32_t unsignalled[2];
	uint32_t g1_size; /* times 4, when it became G1; below it a lock */
	uint32_t waiters;
	uint32_t signals[2]; /* and, when it became G1, g1_from; both modulo 2^32 */
};

static uint64_t g1_from(struct words *c)
{
	return __atomic_load_n(&c->g1_from, __ATOMIC_RELAXED);
}

static bool closed(void *p, struct ticket t)
{
	return t.number < g1_from(p);
}

/* There are none in G2, whose number says no more than that all have been sent that were before G1's. */
static uint32_t among(uint32_t n, uint64_t from)
{
	int32_t left = (int32_t)(n - (uint32_t)from);

	return left > 0 ? (uint32_t)left : 0;
}

static uint32_t signals(void *p, unsigned group)
{
	struct words *c = p;
	uint32_t n = cond_load(&c->signals[group]);

	return among(n, g1_from(c));
}

static bool take(void *p, unsigned group)
{
	struct words *c = p;
	uint32_t n = cond_load(&c->signals[group]);

	while (among(n, g1_from(c)) > 0)
		if (__atomic_compare_exchange_n(&c->signals[group], &n, n - 1, true, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE))
			return true;
	return false;
}

static void await(void *p, struct ticket t)
{
	struct words *c = p;

	for (;;) {
		uint32_t n = cond_load(&c->signals[t.group]);
		uint64_t from = g1_from(c);
		if (t.number < from)
			return;
		if (among(n, from) == 0)
			cond_futex(&c->waiters, &c->signals[t.group], FUTEX_WAIT, n);
		else if (__atomic_compare_exchange_n(&c->signals[t.group], &n, n - 1, true, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return;
	}
}

static bool is(void *c, struct cond_state s, int flags)
{
	struct words want = { .came = 2 * s.came + s.g2, .g1_from = s.g1_from, .unsignalled = { s.unsignalled[0], s.unsignalled[1] },
			      .g1_size = 4 * s.g1_size, .waiters = WAITER * s.waiters + (uint32_t)flags,
			      .signals = { s.signals[0], s.signals[1] } };

	want.signals[!s.g2] += (uint32_t)s.g1_from;
	return memcmp(c, &want, sizeof(want)) == 0;
}

static bool close_group(void *c, struct ticket t)
{
	return pthread_cond_signal(c) == 0 && closed(c, t) && !take(c, t.group);
}

_Static_assert(sizeof(struct words) <= sizeof(pthread_cond_t), "pthread_cond_t has fewer words");

const struct waiter_kind waiter_2_41 = { offsetof(struct words, waiters), closed, signals, take, await, is, close_group };
