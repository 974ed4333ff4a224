/*
 * unp_pipe.h - what pipes need of libc beside plain system calls.
 */
#ifndef UNP_PIPE_H
#define UNP_PIPE_H

#include "unp.h"

/*
 * PIPE_BUF of the pipe or FIFO behind fd: the largest write in bytes that is
 * never mixed with another writer's. See fpathconf(3), pipe(7).
 *
 * Needs a shim because -1 with errno unchanged means "no limit" there: *bytes is
 * then -1 and the result 0. Errors: EBADF, EINVAL.
 */
int unp_pipe_buf(int fd, long *bytes);

#endif
