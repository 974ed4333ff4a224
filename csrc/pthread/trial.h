/* What trials of libc's own objects, which tell how they are made, have in common. */
#ifndef TRIAL_H
#define TRIAL_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define PATIENCE 5 /* seconds */

/* Starts a thread that gets no signal: whatever is meant for one of the program is not for it. */
static inline int start_trial(pthread_t *thread, void *(*f)(void *), void *arg)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = pthread_create(thread, NULL, f, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

/* Waits until it is so, but not for ever: each pause takes 50 us or more. */
#define AWAIT(it_is_so)                                                        \
	for (int left = PATIENCE * 20000; !(it_is_so) && left > 0; left--)     \
		nanosleep(&(struct timespec){ .tv_nsec = 20000 }, NULL)

#endif
