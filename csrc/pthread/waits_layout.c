#include "unp_pthread.h"

#include "trial.h"
#include "waiter.h"

static void *destroy(void *c)
{
	return pthread_cond_destroy(c) == 0 ? c : NULL;
}

/* Whether who destroys it waits for the last that goes. */
static bool waits_for_the_last(const struct waiter_kind *k, pthread_cond_t *c, int flags)
{
	cond_word *waiters = cond_waiters(k, c);
	uint32_t asked = WAITER | COND_DESTROYED | (uint32_t)flags;
	pthread_t thread;
	void *destroyed;

	cond_come(k, c);
	if (start_trial(&thread, destroy, c) != 0)
		return false;
	AWAIT(cond_load(waiters) == asked);
	bool ok = cond_load(waiters) == asked;
	cond_go(k, c);
	pthread_join(thread, &destroyed);
	return ok && destroyed;
}

/* Three come and are signalled, then two, who are the next group; more signals than that do nothing. */
static bool holds(const struct waiter_kind *k, int flags)
{
	pthread_cond_t cond, *c = &cond;
	struct ticket last = { 0 };

	if (unp_cond_init(c, flags & COND_SHARED, flags & COND_MONOTONIC ? CLOCK_MONOTONIC : CLOCK_REALTIME) != 0)
		return false;
	for (int i = 0; i < 3; i++)
		last = cond_come(k, c);
	if (last.number != 2 || last.group != 0 || !k->is(c, (struct cond_state){ .came = 3, .waiters = 3 }, flags))
		return false;
	for (uint32_t sent = 1; sent <= 4; sent++) {
		uint32_t to = sent < 3 ? sent : 3;
		if (pthread_cond_signal(c) != 0 || k->signals(c, 0) != to || k->closed(c, last) ||
		    !k->is(c, (struct cond_state){ .came = 3, .g2 = 1, .g1_size = 3, .unsignalled = { 3 - to }, .waiters = 3,
						   .signals = { to } }, flags))
			return false;
	}
	for (int i = 0; i < 3; i++) {
		if (!k->take(c, 0))
			return false;
		cond_go(k, c);
	}
	if (k->take(c, 0))
		return false;
	cond_come(k, c);
	struct ticket other = cond_come(k, c);
	if (other.number != 4 || other.group != 1 || !k->close(c, last) || k->closed(c, other) || k->signals(c, 1) != 1 ||
	    !k->is(c, (struct cond_state){ .came = 5, .g1_from = 3, .g1_size = 2, .unsignalled = { 0, 1 }, .waiters = 2,
					   .signals = { 0, 1 } }, flags))
		return false;
	if (pthread_cond_broadcast(c) != 0 || !k->take(c, 1) || !k->take(c, 1) || k->take(c, 1))
		return false;
	cond_go(k, c);
	cond_go(k, c);
	return k->is(c, (struct cond_state){ .came = 5, .g1_from = 3, .g1_size = 2 }, flags) &&
	       waits_for_the_last(k, c, flags);
}

const struct waiter_kind *cond_try_waits(void)
{
#if defined(__GLIBC__) && __SIZEOF_LONG__ == 8
	static const struct waiter_kind *const kinds[] = { &waiter_2_25, &waiter_2_41 };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (holds(kinds[i], 0) && holds(kinds[i], COND_SHARED | COND_MONOTONIC))
			return kinds[i];
#endif
	return NULL;
}
