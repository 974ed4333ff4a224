#include "unp_posixsem.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

/* glibc's word, where it has 64-bit atomic operations. */
#define WAITER (1ull << 32)
#define PATIENCE 5 /* seconds */

static uint64_t load(void *sem)
{
	return __atomic_load_n((uint64_t *)sem, __ATOMIC_RELAXED);
}

static bool follows(sem_t *sem)
{
	int value;
	if (sem_init(sem, 1, 3) != 0 || load(sem) != 3)
		return false;
	__atomic_store_n((uint64_t *)sem, 7, __ATOMIC_RELAXED);
	if (sem_getvalue(sem, &value) != 0 || value != 7)
		return false;
	if (sem_wait(sem) != 0 || load(sem) != 6 || sem_post(sem) != 0 || load(sem) != 7)
		return false;
	__atomic_store_n((uint64_t *)sem, 0, __ATOMIC_RELAXED);
	return sem_trywait(sem) == -1 && sem_post(sem) == 0 && load(sem) == 1 && sem_wait(sem) == 0;
}

static void *wait_once(void *sem)
{
	struct timespec end;
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += 2 * PATIENCE;
	while (sem_clockwait(sem, CLOCK_MONOTONIC, &end) == -1 && errno == EINTR)
		;
	return NULL;
}

/* Whether a sleeper counts itself in the high half while the low one is 0. */
static bool counts_waiters(sem_t *sem)
{
	/* Whatever is meant for a thread of the program is not for this one. */
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_t thread;
	int error = pthread_create(&thread, NULL, wait_once, sem);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error)
		return false;
	/* Each pause takes 50 us or more. */
	struct timespec pause = {.tv_nsec = 20000};
	for (int left = PATIENCE * 20000; load(sem) != WAITER && left > 0; left--)
		nanosleep(&pause, NULL);
	bool counted = load(sem) == WAITER;
	sem_post(sem);
	pthread_join(thread, NULL);
	return counted && load(sem) == 0;
}

int unp_sem_try_layout(void)
{
#ifdef __GLIBC__
	if (sizeof(sem_t) != 32 || __SIZEOF_POINTER__ != 8)
		return ENOTSUP;
	sem_t *sem = calloc(1, sizeof *sem);
	bool ok = sem && follows(sem) && counts_waiters(sem);
	free(sem);
	return ok ? 0 : ENOTSUP;
#else
	return ENOTSUP;
#endif
}
