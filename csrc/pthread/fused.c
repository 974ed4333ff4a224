#include "unp_pthread_fused.h"

#include <string.h>

int unp_mutex_call(pthread_mutex_t *m, void (*f)(void *arg), void *arg)
{
	int error = pthread_mutex_lock(m);
	if (error != 0)
		return error;
	f(arg);
	return pthread_mutex_unlock(m);
}

int unp_mutex_add(pthread_mutex_t *m, int64_t *word, int64_t delta, int64_t *sum)
{
	int error = pthread_mutex_lock(m);
	if (error != 0)
		return error;
	*sum = *word += delta;
	return pthread_mutex_unlock(m);
}

int unp_mutex_load(pthread_mutex_t *m, const int64_t *word, int64_t *value)
{
	int error = pthread_mutex_lock(m);
	if (error != 0)
		return error;
	*value = *word;
	return pthread_mutex_unlock(m);
}

int unp_mutex_store(pthread_mutex_t *m, int64_t *word, int64_t value)
{
	int error = pthread_mutex_lock(m);
	if (error != 0)
		return error;
	*word = value;
	return pthread_mutex_unlock(m);
}

int unp_mutex_copy(pthread_mutex_t *m, char *to, const char *from, size_t n)
{
	int error = pthread_mutex_lock(m);
	if (error != 0)
		return error;
	memcpy(to, from, n);
	return pthread_mutex_unlock(m);
}

int unp_mutex_relock(pthread_mutex_t *m, pthread_cond_t *wake, bool all)
{
	int error = pthread_mutex_unlock(m);
	if (error != 0)
		return error;
	if (wake != NULL && all)
		pthread_cond_broadcast(wake);
	else if (wake != NULL)
		pthread_cond_signal(wake);
	return pthread_mutex_lock(m);
}
