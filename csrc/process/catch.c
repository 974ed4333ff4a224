#include "unp_process.h"

#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>

static _Atomic uint64_t catching; /* bit s-1: signal s has the handler */
static _Atomic uint64_t caught;	  /* it came and was not taken yet */
static atomic_int first;
static sem_t came;

__attribute__((constructor)) static void prepare(void)
{
	sem_init(&came, 0, 0);
}

/* Async-signal-safe, on the stack that the Go runtime has for handlers. */
static void note(int sig)
{
	int error = errno, none = 0;
	atomic_compare_exchange_strong(&first, &none, sig);
	atomic_fetch_or(&caught, (uint64_t)1 << (sig - 1));
	sem_post(&came);
	errno = error;
}

int unp_catch(int sig)
{
	struct unp_initial in;
	struct sigaction sa = {.sa_handler = note, .sa_flags = SA_ONSTACK | SA_RESTART};

	if (sig < 1 || sig > 64)
		return EINVAL;
	unp_initial(&in);
	if ((in.ignored >> (sig - 1)) & 1)
		sa.sa_handler = SIG_IGN;
	sigfillset(&sa.sa_mask);
	if (sigaction(sig, &sa, NULL) != 0)
		return errno;
	if (sa.sa_handler != SIG_IGN)
		atomic_fetch_or(&catching, (uint64_t)1 << (sig - 1));
	return 0;
}

int unp_die(int sig)
{
	struct sigaction sa = {.sa_handler = SIG_DFL};
	sigset_t set;

	if (sigaction(sig, &sa, NULL) != 0)
		return errno;
	sigemptyset(&set);
	sigaddset(&set, sig);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	return raise(sig) == 0 ? 0 : errno;
}

int unp_first_caught(void)
{
	return atomic_load(&first);
}

int unp_next_caught(void)
{
	uint64_t all = atomic_load(&catching);
	sigset_t set, old;

	/* This process may have been started with them blocked: this thread lets them in. */
	sigemptyset(&set);
	for (int s = 1; s <= 64; s++)
		if ((all >> (s - 1)) & 1)
			sigaddset(&set, s);
	pthread_sigmask(SIG_UNBLOCK, &set, &old);
	/* A post may be of a signal that was taken already: look again then. */
	while ((all = atomic_load(&caught)) == 0)
		sem_wait(&came);
	int sig = __builtin_ctzll(all) + 1;
	atomic_fetch_and(&caught, ~((uint64_t)1 << (sig - 1)));
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return sig;
}
