#include "unp_posixsem.h"

#include <semaphore.h>
#include <time.h>

#define SECOND 1000000000

int unp_sem_wait(void *sem, int64_t timeout_ns)
{
	if (timeout_ns < 0)
		return sem_wait(sem) == 0 ? 0 : errno;
	if (timeout_ns == 0)
		return sem_trywait(sem) == 0 ? 0 : errno;
	struct timespec end;
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += timeout_ns / SECOND;
	end.tv_nsec += timeout_ns % SECOND;
	if (end.tv_nsec >= SECOND) {
		end.tv_sec++;
		end.tv_nsec -= SECOND;
	}
	return sem_clockwait(sem, CLOCK_MONOTONIC, &end) == 0 ? 0 : errno;
}

int unp_sem_timedwait(void *sem, int64_t seconds, int64_t nanoseconds)
{
	struct timespec end = {.tv_sec = seconds, .tv_nsec = nanoseconds};
	return sem_timedwait(sem, &end) == 0 ? 0 : errno;
}
