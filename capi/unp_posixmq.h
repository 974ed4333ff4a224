/*
 * unp_posixmq.h - POSIX message queues: mq_overview(7), UNPv2 chapter 5.
 *
 * Sending, receiving and attributes have no shim: they are system calls without
 * any logic of libc's. A queue descriptor is a file descriptor on Linux.
 */
#ifndef UNP_POSIXMQ_H
#define UNP_POSIXMQ_H

#include "unp.h"

/* The attributes that a new queue is given: messages it can hold, bytes in each. */
struct unp_mq_size {
	long maxmsg, msgsize;
};

/*
 * mq_open(3), which is variadic. mode and size count only for a queue that is
 * created; size NULL takes the system's defaults. The descriptor is close-on-exec
 * in any case. name and size are borrowed.
 * Errors: EACCES, EEXIST, EINVAL (the name; attributes over the limits), EMFILE
 * (descriptors, or the bytes that RLIMIT_MSGQUEUE allows), ENAMETOOLONG, ENFILE,
 * ENOENT, ENOMEM, ENOSPC (queues_max).
 */
int unp_mq_open(const char *name, int oflag, mode_t mode, const struct unp_mq_size *size, int *mqd);

/* mq_unlink(3). name is borrowed. Errors: EACCES, EINVAL, ENAMETOOLONG, ENOENT. */
int unp_mq_unlink(const char *name);

/*
 * mq_notify(3), whose argument is a union, in its four forms. A registration is
 * for one process a queue and for one notification; it fires when a message comes
 * to an empty queue in which nobody waits.
 * Errors: EBUSY (another registration), EBADF, EINVAL (signo), ENOMEM.
 */
int unp_mq_notify_signal(int mqd, int signo, int value); /* SIGEV_SIGNAL, SI_MESGQ */
int unp_mq_notify_none(int mqd);			 /* SIGEV_NONE: registered, told nothing */
int unp_mq_notify_cancel(int mqd);			 /* NULL: this process's registration ends */

/*
 * SIGEV_THREAD: notified(cookie) runs on a thread that glibc starts for it, all
 * signals unblocked. All registrations of a process have the same function. It is
 * not called for a registration that was cancelled, though one that had fired
 * before may be called after the cancelling.
 */
int unp_mq_notify_thread(int mqd, void (*notified)(uintptr_t cookie), uintptr_t cookie);

/*
 * sysconf(3): queues a process may have open, and priorities (0 to *priorities-1).
 * -1 means that there is no fixed limit, which is no error.
 */
int unp_mq_limits(long *queues, long *priorities);

#endif
