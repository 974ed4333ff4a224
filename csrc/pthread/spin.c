#include "unp_pthread.h"

int unp_spin_init(void *s, bool shared)
{
	return pthread_spin_init(s, shared ? PTHREAD_PROCESS_SHARED : PTHREAD_PROCESS_PRIVATE);
}

int unp_spin_lock(void *s)
{
	return pthread_spin_lock(s);
}

int unp_spin_trylock(void *s)
{
	return pthread_spin_trylock(s);
}

int unp_spin_unlock(void *s)
{
	return pthread_spin_unlock(s);
}

int unp_spin_try_layout(int *free, int *held)
{
	pthread_spinlock_t s;
	volatile int *word = (volatile int *)&s;
	if (sizeof(s) != sizeof(*word) || pthread_spin_init(&s, PTHREAD_PROCESS_SHARED) != 0)
		return ENOTSUP;
	*free = *word;
	bool ok = pthread_spin_lock(&s) == 0;
	*held = *word;
	*word = *free; /* as Go unlocks, and locks */
	ok = ok && *held != *free && pthread_spin_trylock(&s) == 0 && *word == *held;
	ok = ok && pthread_spin_unlock(&s) == 0 && *word == *free;
	*word = *held;
	return ok && pthread_spin_trylock(&s) == EBUSY && pthread_spin_unlock(&s) == 0 && *word == *free ? 0 : ENOTSUP;
}
