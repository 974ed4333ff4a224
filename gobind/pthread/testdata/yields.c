/* What a wait does that can be told only with a clock, and others, that do as they are told. */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static struct {
	int yields, each; /* so many happened; each took so many us */
	int until;	  /* with so many there is a signal, if it is not 0 */
	pthread_cond_t *cond;
	long time;
} world;

static int others_run(void)
{
	world.time += world.each * 1000L;
	if (++world.yields == world.until)
		pthread_cond_signal(world.cond);
	return 0;
}

static int clock_of_world(clockid_t clock, struct timespec *t)
{
	(void)clock;
	*t = (struct timespec){ .tv_sec = world.time / 1000000000, .tv_nsec = world.time % 1000000000 };
	return 0;
}

#define sched_yield others_run
#define clock_gettime clock_of_world
#include "cond.c"

#define IS(what, wanted)                                                                       \
	do {                                                                                   \
		long is = (long)(what), should = (long)(wanted);                               \
		if (is != should) {                                                            \
			printf("line %d: %s is %ld, not %ld\n", __LINE__, #what, is, should); \
			exit(1);                                                               \
		}                                                                              \
	} while (0)

/* One wait that has its signal after so many yields, or afterwards; returns how many there were. */
static int yields_of(int most, int each, int until)
{
	pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
	struct ticket t = cond_come(kind, &cond);

	world.yields = 0, world.each = each, world.until = until, world.cond = &cond;
	let_others_run(&cond, t, most);
	if (until == 0 || world.yields < until)
		pthread_cond_signal(&cond);
	kind->await(&cond, t);
	cond_go(kind, &cond);
	IS(*cond_waiters(kind, &cond), 0);
	IS(kind->signals(&cond, 0), 0);
	IS(pthread_cond_destroy(&cond), 0);
	return world.yields;
}

/* How many waits after this one sleep at once. */
static int at_once_after(int each, int until)
{
	int n = 0;

	if (yields_of(20, each, until) == 0)
		return -1;
	while (yields_of(20, 1, 1) == 0)
		n++;
	return n; /* the one that did not has had its signal, which ends the penalty */
}

static void yields(void)
{
	IS(yields_of(20, 1, 3), 3);
	IS(yields_of(20, 1, 20), 20);
	IS(yields_of(20, 1, 1), 1);
	IS(at_once_after(1, 0), 1);
	IS(at_once_after(300, 0), 64);
	IS(at_once_after(300, 1), 64); /* the signal was there, but another had the processor */
	for (int waits = 1; waits <= 255; waits = 2 * waits + 1) {
		int penalty = waits < 64 ? waits : 64;
		IS(yields_of(20, 1, 0), 20);
		for (int i = 0; i < penalty; i++)
			IS(yields_of(20, 1, 0), 0);
	}
	IS(yields_of(20, 1, 1), 1); /* and all is well again */
	for (int penalty = 64; penalty < 9000; penalty = 2 * penalty + 64) {
		IS(yields_of(20, 300, 0), 1);
		for (int i = 0; i < (penalty < 4096 ? penalty : 4096); i++)
			IS(yields_of(20, 300, 0), 0);
	}
}

/*
 * One has a signal that he has not taken when his group is closed, its place is used anew, and
 * there is a signal for who came then. He takes none, or takes it and gives it back.
 */
static void signal_of_another(void)
{
	pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
	struct ticket t[3];

	for (int i = 0; i < 3; i++) {
		t[i] = cond_come(kind, &cond);
		IS(t[i].number, i);
		IS(is_over(&cond, t[i]), false);
		IS(pthread_cond_signal(&cond), 0);
		IS(is_over(&cond, t[i]), true);
	}
	IS(t[2].group, t[0].group);
	IS(kind->closed(&cond, t[0]), true);
	IS(kind->signals(&cond, t[2].group), 1);
	kind->await(&cond, t[0]);
	IS(kind->signals(&cond, t[2].group), 1);
	kind->await(&cond, t[1]); /* is awake: his group is closed */
	kind->await(&cond, t[2]);
	IS(kind->signals(&cond, t[2].group), 0);
	for (int i = 0; i < 3; i++)
		cond_go(kind, &cond);
	IS(pthread_cond_destroy(&cond), 0);
}

int main(void)
{
	IS(unp_cond_try_waits(), 0);
	signal_of_another();
	yields();
	return 0;
}
