/* SIGINT and SIGTERM end a server where it waits. */
#ifndef ENDING_H
#define ENDING_H

#include <signal.h>

static volatile sig_atomic_t stop;

static void on_signal(int signo)
{
	(void)signo;
	stop = 1;
}

/* Both, unless ignored, are blocked for all threads but for where the server waits. */
static void prepare_signals(sigset_t *unblocked)
{
	sigset_t signals;

	sigemptyset(&signals);
	for (int i = 0; i < 2; i++) {
		const int signo = (const int[]){ SIGINT, SIGTERM }[i];
		struct sigaction before;

		if (sigaction(signo, NULL, &before) == 0 && before.sa_handler == SIG_IGN)
			continue;
		sigaction(signo, &(struct sigaction){ .sa_handler = on_signal }, NULL);
		sigaddset(&signals, signo);
	}
	pthread_sigmask(SIG_BLOCK, &signals, unblocked);
	signal(SIGPIPE, SIG_IGN);
}

#endif
