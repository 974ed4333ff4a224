/* A pthread_cond_clockwait that does not sleep and is nowhere counted: to be preloaded. */
#include <pthread.h>
#include <time.h>

int pthread_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *mutex, clockid_t clock, const struct timespec *until)
{
	(void)cond, (void)clock, (void)until;
	pthread_mutex_unlock(mutex);
	nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
	return pthread_mutex_lock(mutex);
}
