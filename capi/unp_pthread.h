/*
 * unp_pthread.h - the objects of POSIX threads in memory of the caller's: pthreads(7),
 * UNPv2 chapters 7 and 8, APUE 11 and 12.
 *
 * Shims make the objects, whose attributes are opaque, tell how they are made, and wait for a
 * condition. Locking and unlocking are called as they are; these functions already return an
 * errno value.
 *
 * An object stays where it is from its initialisation to its destruction. One that is
 * shared may be mapped elsewhere by other processes.
 */
#ifndef UNP_PTHREAD_H
#define UNP_PTHREAD_H

#include <pthread.h>
#include <stdbool.h>

#include "unp.h"

struct unp_mutex_attr {
	int kind;     /* PTHREAD_MUTEX_NORMAL, _ERRORCHECK, _RECURSIVE */
	int protocol; /* PTHREAD_PRIO_NONE, _INHERIT, _PROTECT */
	int ceiling;  /* for _PROTECT; 0: the lowest there is */
	bool robust;
	bool shared;
};

/*
 * pthread_mutex_init(3).
 * Errors: EINVAL (an attribute that there is not), ENOTSUP (robust and _PROTECT).
 */
int unp_mutex_init(pthread_mutex_t *m, const struct unp_mutex_attr *attr);

/* pthread_cond_init(3) with the clock of pthread_cond_timedwait. Errors: EINVAL (clock). */
int unp_cond_init(pthread_cond_t *c, bool shared, clockid_t clock);

/*
 * pthread_cond_signal(3); and pthread_cond_wait(3), after a signal to another condition if
 * there is one (not 0). The arguments are addresses, which cgo passes without looking what
 * they point to.
 *
 * If yields is less than 0 that is libc's own. Or else it is made of the words of
 * unp_cond_try_waits: it locks the mutex again as pthread_mutex_lock(3) does, where libc's
 * leaves a mark in it as if somebody slept for it, for which the next unlock is a system call;
 * and before it sleeps it lets others run so many times, sched_yield(2), but for a fraction of
 * a millisecond only, and not so often where that is no good. The mutex must be the caller's
 * then, normal, and without a protocol; it may be robust. And it is no cancellation point.
 */
int unp_cond_signal(uintptr_t c);
int unp_cond_wait(uintptr_t c, uintptr_t m, uintptr_t signalled, int yields);

/*
 * Whether a pthread_mutex_t is what gobind/pthread takes it for, which changes the lock of
 * a normal one itself, as a call into C costs more than a lock that is free. In words of
 * 32 bits, of glibc's:
 *
 *	0  lock    0 free, 1 held, 2 held and perhaps slept for by futex(2); of a robust one
 *	           the owner's thread number, and FUTEX_WAITERS if it is slept for
 *	2  owner   his thread number, 0 while it is free
 *	3  users   1 while it is held
 *	4  kind    0 normal; with 16 robust, 128 shared, 512 without lock elision
 *
 * It is tried with libc's own functions and a thread of its own, in a fraction of a
 * millisecond. Error: ENOTSUP (something is different).
 */
int unp_mutex_try_layout(void);

/*
 * Which word of 32 bits in a pthread_cond_t, of glibc's, counts those that wait, so that
 * gobind/pthread need not signal where there are none: 8 for each, whom pthread_cond_wait
 * adds before it unlocks the mutex. The low bits are flags. libc's signal and broadcast
 * look at it first too. Its offset in bytes differs: it is 36 in glibc 2.36.
 *
 * It is tried as unp_mutex_try_layout is. Error: ENOTSUP (there is no such word).
 */
int unp_cond_try_layout(size_t *offset);

/*
 * Whether one who waits at a pthread_cond_t can be made of its words, as glibc has had them
 * since 2.25 or since 2.41, and csrc/pthread/waiter.h describes them; which of the two is kept
 * for unp_cond_wait. Error: ENOTSUP (something is different).
 */
int unp_cond_try_waits(void);

/*
 * The rest is void * because strict C knows no such types.
 *
 * pthread_rwlock_init(3); kind is that of pthread_rwlockattr_setkind_np(3). Errors: EINVAL (kind).
 */
int unp_rwlock_init(void *l, bool shared, int kind);

/*
 * Whether a pthread_rwlock_t begins with a word of 32 bits, of glibc's, that gobind/pthread
 * may change itself as long as there are only readers: 8 for each, and none of
 *
 *	1  it is the writers' turn
 *	2  a writer has it or wants it
 *	4  readers sleep
 *
 * It is tried as unp_mutex_try_layout is. Error: ENOTSUP (something is different).
 */
int unp_rwlock_try_layout(void);

/* pthread_barrier_init(3). Errors: EINVAL (count is 0 or over INT_MAX). */
int unp_barrier_init(void *b, bool shared, unsigned int count);

/*
 * pthread_spin_init(3); the type is volatile, which cgo drops, so that these four have
 * shims. Errors: EBUSY (trylock).
 */
int unp_spin_init(void *s, bool shared);
int unp_spin_lock(void *s);
int unp_spin_trylock(void *s);
int unp_spin_unlock(void *s);

/*
 * What is in a pthread_spinlock_t that is free, and what in one that somebody has, for
 * gobind/pthread to change it itself: 1 and 0 on x86. Error: ENOTSUP (something is
 * different from that it is a word that has two values).
 */
int unp_spin_try_layout(int *free, int *held);

#endif
