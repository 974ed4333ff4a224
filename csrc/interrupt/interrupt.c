#include "unp_interrupt.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

static void nothing(int sig)
{
	(void)sig;
}

int unp_interrupt_signal(void)
{
	return SIGRTMAX - 1;
}

int unp_interrupt(pid_t tid)
{
	/* Installed each time: a signal.Notify for all signals puts Go's back. */
	struct sigaction sa = {.sa_handler = nothing, .sa_flags = SA_ONSTACK};
	sigemptyset(&sa.sa_mask);
	if (sigaction(unp_interrupt_signal(), &sa, NULL) != 0)
		return errno;
	if (syscall(SYS_tgkill, getpid(), tid, unp_interrupt_signal()) != 0)
		return errno;
	return 0;
}
