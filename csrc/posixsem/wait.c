#include "unp_posixsem.h"

#include <semaphore.h>
#include <time.h>

int unp_sem_wait(void *sem)
{
	return sem_wait(sem) == 0 ? 0 : errno;
}

int unp_sem_trywait(void *sem)
{
	return sem_trywait(sem) == 0 ? 0 : errno;
}

int unp_sem_timedwait(void *sem, int64_t seconds, int64_t nanoseconds)
{
	struct timespec end = {.tv_sec = seconds, .tv_nsec = nanoseconds};
	return sem_timedwait(sem, &end) == 0 ? 0 : errno;
}

int unp_sem_clockwait(void *sem, int64_t seconds, int64_t nanoseconds)
{
	struct timespec end = {.tv_sec = seconds, .tv_nsec = nanoseconds};
	return sem_clockwait(sem, CLOCK_MONOTONIC, &end) == 0 ? 0 : errno;
}
