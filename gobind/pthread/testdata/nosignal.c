/* A pthread_cond_signal that leaves no trace in a condition: to be preloaded. */
#include <pthread.h>

int pthread_cond_signal(pthread_cond_t *cond)
{
	(void)cond;
	return 0;
}
