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
