/* Workers that take turns: turns.go. */
#ifndef TURNS_H
#define TURNS_H

#include "locks.h"

/* Increments the counter, which must be at this worker's turn. */
static void turn(int worker)
{
	if (page->counter % page->workers != worker)
		die("worker %d: it is the turn of another", worker);
	page->counter++;
}

static int after(int worker) { return (worker + 1) % page->workers; }

#define COND(worker) ((pthread_cond_t *)page->objects[1 + (worker)])

static void make_cond(void)
{
	pthread_condattr_t attr;

	make_normal();
	pthread_condattr_init(&attr);
	must(pthread_condattr_setpshared(&attr, sharing()), "pthread_condattr_setpshared");
	for (int i = 0; i < page->workers; i++)
		must(pthread_cond_init(COND(i), &attr), "pthread_cond_init");
	pthread_condattr_destroy(&attr);
}

static void cond_work(int worker, uint64_t n)
{
	while (n--) {
		must(pthread_mutex_lock(MUTEX), "pthread_mutex_lock");
		while (page->counter % page->workers != worker)
			must(pthread_cond_wait(COND(worker), MUTEX), "pthread_cond_wait");
		turn(worker);
		must(pthread_cond_signal(COND(after(worker))), "pthread_cond_signal");
		must(pthread_mutex_unlock(MUTEX), "pthread_mutex_unlock");
	}
}

static void make_sems(void)
{
	for (int i = 0; i < page->workers; i++)
		may(sem_init(SEM(i), 1, i == 0), "sem_init");
}

static void sem_turns_work(int worker, uint64_t n)
{
	while (n--) {
		wait_for(SEM(worker));
		turn(worker);
		may(sem_post(SEM(after(worker))), "sem_post");
	}
}

static void semop_turns_work(int worker, uint64_t n)
{
	while (n--) {
		operate(worker, -1, 0);
		turn(worker);
		operate(after(worker), 1, 0);
	}
}

#define BARRIER ((pthread_barrier_t *)page->objects[0])

static void make_barrier(void)
{
	pthread_barrierattr_t attr;

	pthread_barrierattr_init(&attr);
	must(pthread_barrierattr_setpshared(&attr, sharing()), "pthread_barrierattr_setpshared");
	must(pthread_barrier_init(BARRIER, &attr, page->workers), "pthread_barrier_init");
	pthread_barrierattr_destroy(&attr);
}

static void barrier_work(int worker, uint64_t n)
{
	int64_t serials = 0;

	for (int64_t round = 1; round <= (int64_t)n; round++) {
		/* Nobody writes here again before both have left the next round. */
		int64_t *seen = page->seen[round & 1];
		int answer;

		seen[worker] = round;
		answer = pthread_barrier_wait(BARRIER);
		if (answer == PTHREAD_BARRIER_SERIAL_THREAD)
			serials++;
		else
			must(answer, "pthread_barrier_wait");
		for (int i = 0; i < page->workers; i++)
			if (seen[i] != round)
				die("round %lld: let through before all had come", (long long)round);
	}
	__atomic_add_fetch(&page->counter, page->workers * serials, __ATOMIC_SEQ_CST); /* a round is a turn of each */
}

#endif
