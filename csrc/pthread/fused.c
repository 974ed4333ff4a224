#include "unp_pthread_fused.h"

#include <string.h>

static inline pthread_mutex_t *mutex(uintptr_t address)
{
	return (pthread_mutex_t *)address;
}

int unp_mutex_call(uintptr_t m, void (*f)(void *arg), void *arg)
{
	int error = pthread_mutex_lock(mutex(m));
	if (error != 0)
		return error;
	f(arg);
	return pthread_mutex_unlock(mutex(m));
}

int unp_mutex_add(uintptr_t m, int64_t *word, int64_t delta, int64_t *sum)
{
	int error = pthread_mutex_lock(mutex(m));
	if (error != 0)
		return error;
	*sum = *word += delta;
	return pthread_mutex_unlock(mutex(m));
}

int unp_mutex_load(uintptr_t m, const int64_t *word, int64_t *value)
{
	int error = pthread_mutex_lock(mutex(m));
	if (error != 0)
		return error;
	*value = *word;
	return pthread_mutex_unlock(mutex(m));
}

int unp_mutex_store(uintptr_t m, int64_t *word, int64_t value)
{
	int error = pthread_mutex_lock(mutex(m));
	if (error != 0)
		return error;
	*word = value;
	return pthread_mutex_unlock(mutex(m));
}

int unp_mutex_copy(uintptr_t m, char *to, const char *from, size_t n)
{
	int error = pthread_mutex_lock(mutex(m));
	if (error != 0)
		return error;
	memcpy(to, from, n);
	return pthread_mutex_unlock(mutex(m));
}

int unp_mutex_relock(uintptr_t m, pthread_cond_t *wake, bool all)
{
	if (wake != NULL && all)
		pthread_cond_broadcast(wake);
	else if (wake != NULL)
		pthread_cond_signal(wake);
	int error = pthread_mutex_unlock(mutex(m));
	if (error != 0)
		return error;
	return pthread_mutex_lock(mutex(m));
}
