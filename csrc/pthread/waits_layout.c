#include "unp_pthread.h"

#include "cond_words.h"
#include "trial.h"

#include <string.h>

/* What is in a condition, beside its flags. */
static bool are(struct cond_words *c, int flags, struct cond_words want)
{
	want.waiters |= (uint32_t)flags;
	return memcmp(c, &want, sizeof(want)) == 0;
}

static void *send(void *c)
{
	return pthread_cond_signal(c) == 0 ? c : NULL;
}

static void *destroy(void *c)
{
	return pthread_cond_destroy(c) == 0 ? c : NULL;
}

/* Whether a signal that closes a group waits for who still refers to it, and how he learns of it. */
static bool waits_for_references(struct cond_words *c, struct ticket t)
{
	pthread_t thread;
	void *sent;

	cond_refer(c, t.group);
	if (start_trial(&thread, send, c) != 0)
		return false;
	AWAIT(cond_load(&c->references[t.group]) == (REFERENCE | ASKED_FOR));
	bool ok = cond_load(&c->references[t.group]) == (REFERENCE | ASKED_FOR) && cond_closed(c, t) && !cond_take(c, t.group);
	cond_leave(c, t.group);
	pthread_join(thread, &sent);
	return ok && sent;
}

/* Whether who destroys it waits for the last that goes. */
static bool waits_for_the_last(struct cond_words *c, int flags)
{
	uint32_t asked = WAITER | COND_DESTROYED | (uint32_t)flags;
	pthread_t thread;
	void *destroyed;

	cond_come(c);
	if (start_trial(&thread, destroy, c) != 0)
		return false;
	AWAIT(cond_load(&c->waiters) == asked);
	bool ok = cond_load(&c->waiters) == asked;
	cond_go(c);
	pthread_join(thread, &destroyed);
	return ok && destroyed;
}

/* Three come and are signalled, then two, who are the next group; more signals than that do nothing. */
static bool holds(int flags)
{
	pthread_cond_t cond;
	struct cond_words *c = (struct cond_words *)&cond;
	struct ticket last = { 0 };

	if (sizeof(cond) < sizeof(*c) ||
	    unp_cond_init(&cond, flags & COND_SHARED, flags & COND_MONOTONIC ? CLOCK_MONOTONIC : CLOCK_REALTIME) != 0)
		return false;
	for (int i = 0; i < 3; i++)
		last = cond_come(c);
	if (last.number != 2 || last.group != 0 || !are(c, flags, (struct cond_words){ .came = 6, .waiters = 3 * WAITER }))
		return false;
	for (uint32_t sent = 1; sent <= 4; sent++) {
		uint32_t to = sent < 3 ? sent : 3;
		if (pthread_cond_signal(&cond) != 0 ||
		    !are(c, flags, (struct cond_words){ .came = 7, .g1_from = 1, .unsignalled = { 3 - to }, .g1_size = 4 * 3,
							.waiters = 3 * WAITER, .signals = { to * SIGNAL } }))
			return false;
	}
	for (int i = 0; i < 3; i++) {
		if (!cond_take(c, 0))
			return false;
		cond_go(c);
	}
	if (cond_take(c, 0))
		return false;
	cond_come(c);
	struct ticket other = cond_come(c);
	if (other.number != 4 || other.group != 1 || !waits_for_references(c, last))
		return false;
	if (!are(c, flags, (struct cond_words){ .came = 10, .g1_from = 6, .unsignalled = { 0, 1 }, .g1_size = 4 * 2,
						.waiters = 2 * WAITER, .signals = { 0, SIGNAL } }))
		return false;
	if (!cond_closed(c, last) || cond_closed(c, other) || pthread_cond_broadcast(&cond) != 0)
		return false;
	if (!cond_take(c, 1) || !cond_take(c, 1) || cond_take(c, 1))
		return false;
	cond_go(c);
	cond_go(c);
	return are(c, flags, (struct cond_words){ .came = 10, .g1_from = 6, .g1_size = 4 * 2 }) && waits_for_the_last(c, flags);
}

int unp_cond_try_waits(void)
{
#if defined(__GLIBC__) && __SIZEOF_LONG__ == 8
	return holds(0) && holds(COND_SHARED | COND_MONOTONIC) ? 0 : ENOTSUP;
#else
	return ENOTSUP;
#endif
}
