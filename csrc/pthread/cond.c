#include "unp_pthread.h"

#include "waiter.h"

#include <sched.h>
#include <time.h>

enum {
	LONG = 200 * 1000, /* ns: others that are not waited for need the processor */
	FEW = 64,	   /* waits that sleep at once, at most, after one that yielded to nobody's use */
	MANY = 4096,	   /* and after one that yielded for too long */
};

static const struct waiter_kind *kind; /* once tried */

int unp_cond_try_waits(void)
{
	kind = cond_try_waits();
	return kind ? 0 : ENOTSUP;
}

int unp_cond_signal(uintptr_t c)
{
	return pthread_cond_signal((pthread_cond_t *)c);
}

static long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000L + t.tv_nsec;
}

static bool is_over(void *c, struct ticket t)
{
	return kind->signals(c, t.group) > 0 || kind->closed(c, t);
}

/*
 * Lets others run until the wait is over, but no more than so many times, and not for long.
 * Where that was no good, this thread's next waits sleep at once, more of them each time.
 */
static void let_others_run(void *c, struct ticket t, int yields)
{
	static _Thread_local int at_once, penalty;
	bool over = false;

	if (at_once > 0) {
		at_once--;
		return;
	}
	long spent = 0, begin = now();
	while (yields-- > 0 && !over && spent < LONG) {
		sched_yield();
		over = is_over(c, t);
		spent = now() - begin;
	}
	int most = spent < LONG ? FEW : MANY, step = spent < LONG ? 1 : FEW;
	if (over && spent < LONG)
		penalty = 0;
	else
		penalty = 2 * penalty + step < most ? 2 * penalty + step : most;
	at_once = penalty;
}

static int wait_and_lock(void *c, pthread_mutex_t *m, int yields)
{
	struct ticket t = cond_come(kind, c);

	pthread_mutex_unlock(m);
	if (yields > 0)
		let_others_run(c, t, yields);
	kind->await(c, t);
	cond_go(kind, c);
	return pthread_mutex_lock(m);
}

int unp_cond_wait(uintptr_t c, uintptr_t m, uintptr_t signalled, int yields)
{
	if (signalled != 0)
		pthread_cond_signal((pthread_cond_t *)signalled);
	if (yields < 0)
		return pthread_cond_wait((pthread_cond_t *)c, (pthread_mutex_t *)m);
	return wait_and_lock((void *)c, (pthread_mutex_t *)m, yields);
}
