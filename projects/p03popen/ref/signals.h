/* signals.h - bodies of cases: dispositions that are inherited, and EINTR. */
#ifndef SIGNALS_H
#define SIGNALS_H

#include <signal.h>

#include "bodies.h"

static void ignored_signal(struct trial *t)
{
	signal(SIGUSR1, SIG_IGN);
	exchange(t);
	signal(SIGUSR1, SIG_DFL);
}

static volatile sig_atomic_t arrived;

static void count(int sig)
{
	(void)sig;
	arrived++;
}

/* Without SA_RESTART: a system call that the signal interrupts fails with EINTR. */
static void count_signal(int sig)
{
	struct sigaction sa = {.sa_handler = count};

	sigaction(sig, &sa, NULL);
}

static void caught_signal(struct trial *t)
{
	count_signal(SIGUSR1);
	exchange(t);
	signal(SIGUSR1, SIG_DFL);
}

static void children_ignored(struct trial *t)
{
	signal(SIGCHLD, SIG_IGN);
	exchange(t);
	signal(SIGCHLD, SIG_DFL);
}

static void interrupted(struct trial *t)
{
	char pid[16];

	count_signal(SIGUSR1);
	arrived = 0;
	snprintf(pid, sizeof pid, "%d", (int)getpid());
	setenv(VARIABLE, pid, 1);
	FILE *f = must_open(t, t->c->command, t->c->mode);
	if (f != NULL)
		must_close(t, f, t->c->returns);
	say("Signals arrived: %s", arrived > 0 ? "yes" : "no");
	want(t, "the arrival", text_of(arrived > 0 ? "yes" : "no"), text_of("yes"));
	unsetenv(VARIABLE);
	signal(SIGUSR1, SIG_DFL);
}

#endif
