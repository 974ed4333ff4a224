#include "unp_pthread.h"

int unp_cond_signal(uintptr_t c)
{
	return pthread_cond_signal((pthread_cond_t *)c);
}

int unp_cond_wait(uintptr_t c, uintptr_t m, uintptr_t signalled)
{
	if (signalled != 0)
		pthread_cond_signal((pthread_cond_t *)signalled);
	return pthread_cond_wait((pthread_cond_t *)c, (pthread_mutex_t *)m);
}
