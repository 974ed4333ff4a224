/*
 * unp_popen.h - glibc's own popen and pclose. See popen(3); UNPv2 4.5.
 *
 * Needs a shim because FILE is opaque and errno must be read on the same thread.
 */
#ifndef UNP_POPEN_H
#define UNP_POPEN_H

#include "unp.h"

/*
 * Runs command by /bin/sh -c with a pipe to ("w") or from ("r") it; "e" in mode
 * sets close-on-exec on this end. *stream is the FILE *, to be given to
 * unp_pclose exactly once; *fd is its descriptor, which the stream owns.
 * Errors: EINVAL for the mode; those of pipe2(2), posix_spawn(3); ENOMEM.
 */
int unp_popen(const char *command, const char *mode, void **stream, int *fd);

/*
 * Closes the stream and waits for its shell. *status is the wait status, as for
 * waitpid(2). Not interruptible: glibc retries EINTR. Errors: ECHILD when the
 * child was already waited for.
 */
int unp_pclose(void *stream, int *status);

#endif
