/* A semaphore made of a counter, a mutex and a condition variable, in memory that
 * processes share. The counters behind the first are for its test. */
#ifndef SEMAPHORE_H
#define SEMAPHORE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

struct semaphore {
	int32_t units; /* that can be had now */
	_Atomic int32_t inside, most, arrived, joined, ready;
	int32_t initial;
	_Alignas(64) pthread_mutex_t mutex;
	_Alignas(64) pthread_cond_t cond;
};

static inline int semaphore_init(struct semaphore *sem, int32_t units)
{
	pthread_mutexattr_t mutex;
	pthread_condattr_t cond;
	int error;

	pthread_mutexattr_init(&mutex);
	pthread_condattr_init(&cond);
	if ((error = pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED)) ||
	    (error = pthread_condattr_setpshared(&cond, PTHREAD_PROCESS_SHARED)) ||
	    (error = pthread_mutex_init(&sem->mutex, &mutex)) ||
	    (error = pthread_cond_init(&sem->cond, &cond)))
		return error;
	sem->units = sem->initial = units;
	return 0;
}

static inline void semaphore_get(struct semaphore *sem)
{
	pthread_mutex_lock(&sem->mutex);
	while (sem->units == 0)
		pthread_cond_wait(&sem->cond, &sem->mutex);
	sem->units--;
	pthread_mutex_unlock(&sem->mutex);
}

static inline void semaphore_put(struct semaphore *sem)
{
	pthread_mutex_lock(&sem->mutex);
	sem->units++;
	pthread_cond_signal(&sem->cond);
	pthread_mutex_unlock(&sem->mutex);
}

#endif
