/*
 * The stages of a pipeline, and the signals that are handed on to them.
 */
#ifndef STAGES_H
#define STAGES_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/types.h>
#include <unistd.h>

struct stage {
	const char *text;
	char **argv;
	volatile pid_t pid; /* 0: not running */
	int status;	    /* wait status; -errno of the exec if there was none */
};

static struct stage *stages;
static int nstages;
static volatile sig_atomic_t interrupted;

static int from_terminal(int sig)
{
	if (sig != SIGINT && sig != SIGQUIT)
		return 0;
	int tty = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);
	int yes = tty >= 0 && tcgetpgrp(tty) == getpgrp();
	if (tty >= 0)
		close(tty);
	return yes;
}

/* Hands a signal on to the stages, unless the terminal has done so already. */
static void forward(int sig)
{
	int saved = errno;
	if (!interrupted)
		interrupted = sig;
	if (!from_terminal(sig))
		for (int i = 0; i < nstages; i++)
			if (stages[i].pid > 0)
				kill(stages[i].pid, sig);
	errno = saved;
}

static const int handed_on[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
enum { HANDED_ON = sizeof handed_on / sizeof *handed_on };

static void block(int how)
{
	sigset_t set;
	sigemptyset(&set);
	for (int i = 0; i < HANDED_ON; i++)
		sigaddset(&set, handed_on[i]);
	sigprocmask(how, &set, NULL);
}

static void catch_signals(void)
{
	struct sigaction sa = {.sa_handler = forward, .sa_flags = SA_RESTART}, old;
	for (int i = 0; i < HANDED_ON; i++) {
		sigaction(handed_on[i], NULL, &old);
		if (old.sa_handler != SIG_IGN)
			sigaction(handed_on[i], &sa, NULL);
	}
}

#endif
