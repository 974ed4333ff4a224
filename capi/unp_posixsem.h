/*
 * unp_posixsem.h - POSIX semaphores in memory: sem_overview(7), UNPv2 10.8 to 10.13.
 *
 * sem is memory of the caller's, of unp_sem_size() bytes and so aligned, that must
 * stay where it is from unp_sem_init to unp_sem_destroy. It may be mapped elsewhere
 * by other processes. That sem_t is opaque is why these are functions.
 */
#ifndef UNP_POSIXSEM_H
#define UNP_POSIXSEM_H

#include "unp.h"

size_t unp_sem_size(void);
size_t unp_sem_alignment(void);

/* sem_init(3), always shared between processes. Errors: EINVAL (over SEM_VALUE_MAX). */
int unp_sem_init(void *sem, unsigned int value);

/* sem_destroy(3). Nobody may wait. */
int unp_sem_destroy(void *sem);

/*
 * sem_wait(3) with a limit; UNP_FOREVER is sem_wait itself, 0 is sem_trywait. Other
 * times are measured by CLOCK_MONOTONIC from the call on.
 * Errors: EAGAIN (0), ETIMEDOUT, EINTR (a handler without SA_RESTART ran).
 */
int unp_sem_wait(void *sem, int64_t timeout_ns);

/*
 * sem_timedwait(3): until a time of CLOCK_REALTIME.
 * Errors: ETIMEDOUT, EINVAL (nanoseconds out of range), EINTR.
 */
int unp_sem_timedwait(void *sem, int64_t seconds, int64_t nanoseconds);

/* sem_post(3). Errors: EOVERFLOW. */
int unp_sem_post(void *sem);

/* sem_getvalue(3): never negative on Linux, whoever waits. */
int unp_sem_getvalue(void *sem, int *value);

#endif
