#include "unp_pthread_fused.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

static inline bool lock(uintptr_t m, int *error)
{
	*error = pthread_mutex_lock((pthread_mutex_t *)m);
	return *error == 0;
}

static inline void unlock(uintptr_t m, int *error)
{
	*error = pthread_mutex_unlock((pthread_mutex_t *)m);
}

void unp_mutex_call(uintptr_t m, void (*f)(void *arg), void *arg, int *error)
{
	if (lock(m, error)) {
		f(arg);
		unlock(m, error);
	}
}

void unp_mutex_add(uintptr_t m, int64_t *word, int64_t delta, int64_t *sum, int *error)
{
	if (lock(m, error)) {
		*sum = *word += delta;
		unlock(m, error);
	}
}

void unp_mutex_load(uintptr_t m, const int64_t *word, int64_t *value, int *error)
{
	if (lock(m, error)) {
		*value = *word;
		unlock(m, error);
	}
}

void unp_mutex_store(uintptr_t m, int64_t *word, int64_t value, int *error)
{
	if (lock(m, error)) {
		*word = value;
		unlock(m, error);
	}
}

void unp_mutex_copy(uintptr_t m, char *to, const char *from, size_t n, int *error)
{
	if (lock(m, error)) {
		if (n > 0)
			memcpy(to, from, n);
		unlock(m, error);
	}
}
