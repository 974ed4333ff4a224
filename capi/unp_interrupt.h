/*
 * unp_interrupt.h - make a blocking system call of another thread return EINTR.
 *
 * Needs a shim because Go installs its handlers with SA_RESTART, after which
 * open, read, wait4 and others go on as if nothing had happened. See signal(7).
 */
#ifndef UNP_INTERRUPT_H
#define UNP_INTERRUPT_H

#include "unp.h"

/* The signal used, a real-time one: SIGRTMAX - 1. It means nothing else here. */
int unp_interrupt_signal(void);

/*
 * Sends the signal to one thread of this process, with a handler in place that
 * does nothing and does not restart the call. A thread that is not yet in its
 * call misses it: repeat until the call has returned. Errors: ESRCH.
 */
int unp_interrupt(pid_t tid);

#endif
