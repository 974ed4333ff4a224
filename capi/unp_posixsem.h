/*
 * unp_posixsem.h - POSIX semaphores: sem_overview(7), UNPv2 chapter 10.
 *
 * sem is where a semaphore is: memory of the caller's, of unp_sem_size() bytes and so
 * aligned, from unp_sem_init to unp_sem_destroy, or what unp_sem_open gave. It may be
 * mapped elsewhere by other processes. That sem_t is opaque is why these are functions.
 */
#ifndef UNP_POSIXSEM_H
#define UNP_POSIXSEM_H

#include "unp.h"

size_t unp_sem_size(void);
size_t unp_sem_alignment(void);

/*
 * sem_init(3), shared between processes if shared is not 0.
 * Errors: EINVAL (over SEM_VALUE_MAX).
 */
int unp_sem_init(void *sem, int shared, unsigned int value);

/* sem_destroy(3). Nobody may wait. */
int unp_sem_destroy(void *sem);

/*
 * sem_open(3), which takes mode and value as variable arguments. oflag has none of
 * O_CREAT and O_EXCL, or both; the umask takes its bits from mode.
 * *sem is valid until as many calls of unp_sem_close as of unp_sem_open.
 * Errors: ENOENT, EEXIST, EACCES, EINVAL (name, value), ENAMETOOLONG, EMFILE, ENOSPC.
 */
int unp_sem_open(const char *name, int oflag, mode_t mode, unsigned int value, void **sem);
int unp_sem_close(void *sem);

/* sem_unlink(3). Errors: ENOENT, EACCES. */
int unp_sem_unlink(const char *name);

/*
 * Gives the file of a mapped named semaphore exactly this mode, if the path still
 * leads to it. There is no descriptor that fchmod(2) could be given.
 * Errors: chmod(2)'s.
 */
int unp_sem_chmod(void *sem, const char *path, mode_t mode);

/* sem_wait(3). Errors: EINTR (a handler without SA_RESTART ran). */
int unp_sem_wait(void *sem);

/* sem_trywait(3). Errors: EAGAIN. */
int unp_sem_trywait(void *sem);

/*
 * sem_timedwait(3), until a time of CLOCK_REALTIME, and sem_clockwait(3), until one of
 * CLOCK_MONOTONIC. Errors: ETIMEDOUT, EINVAL (nanoseconds out of range), EINTR.
 */
int unp_sem_timedwait(void *sem, int64_t seconds, int64_t nanoseconds);
int unp_sem_clockwait(void *sem, int64_t seconds, int64_t nanoseconds);

/* sem_post(3). Errors: EOVERFLOW. */
int unp_sem_post(void *sem);

/* sem_getvalue(3): never negative on Linux, whoever waits. */
int unp_sem_getvalue(void *sem, int *value);

/*
 * Tries on a semaphore of its own whether a sem_t begins with 64 bits that hold the
 * value in the low and the number of waiters in the high half, and whether the real
 * functions obey changes made to them. Takes a thread for an instant.
 * Errors: ENOTSUP (it is not so).
 */
int unp_sem_try_layout(void);

#endif
