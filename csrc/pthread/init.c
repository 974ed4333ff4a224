#include "unp_pthread.h"

#include <time.h>

static int process(bool shared)
{
	return shared ? PTHREAD_PROCESS_SHARED : PTHREAD_PROCESS_PRIVATE;
}

int unp_mutex_init(pthread_mutex_t *m, const struct unp_mutex_attr *attr)
{
	pthread_mutexattr_t a;
	pthread_mutexattr_init(&a);
	int error = pthread_mutexattr_settype(&a, attr->kind);
	if (error == 0)
		error = pthread_mutexattr_setprotocol(&a, attr->protocol);
	if (error == 0 && attr->ceiling != 0)
		error = pthread_mutexattr_setprioceiling(&a, attr->ceiling);
	if (error == 0 && attr->robust)
		error = pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
	if (error == 0)
		error = pthread_mutexattr_setpshared(&a, process(attr->shared));
	if (error == 0)
		error = pthread_mutex_init(m, &a);
	pthread_mutexattr_destroy(&a);
	return error;
}

int unp_cond_init(pthread_cond_t *c, bool shared, clockid_t clock)
{
	pthread_condattr_t a;
	pthread_condattr_init(&a);
	int error = pthread_condattr_setclock(&a, clock);
	if (error == 0)
		error = pthread_condattr_setpshared(&a, process(shared));
	if (error == 0)
		error = pthread_cond_init(c, &a);
	pthread_condattr_destroy(&a);
	return error;
}

int unp_rwlock_init(void *l, bool shared, int kind)
{
	pthread_rwlockattr_t a;
	pthread_rwlockattr_init(&a);
	int error = pthread_rwlockattr_setkind_np(&a, kind);
	if (error == 0)
		error = pthread_rwlockattr_setpshared(&a, process(shared));
	if (error == 0)
		error = pthread_rwlock_init(l, &a);
	pthread_rwlockattr_destroy(&a);
	return error;
}

int unp_barrier_init(void *b, bool shared, unsigned int count)
{
	pthread_barrierattr_t a;
	pthread_barrierattr_init(&a);
	int error = pthread_barrierattr_setpshared(&a, process(shared));
	if (error == 0)
		error = pthread_barrier_init(b, &a, count);
	pthread_barrierattr_destroy(&a);
	return error;
}
