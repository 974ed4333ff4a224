/*
 * unp_pthread_owner.h - whether the objects that note their owner are made as gobind/pthread
 * takes them to be, which then changes those that nobody contends for itself, as a call into
 * C costs several times more than that.
 *
 * Each is tried with libc's own functions and threads of its own, in a fraction of a
 * millisecond. Error of all: ENOTSUP (something is different; any libc that is not glibc).
 */
#ifndef UNP_PTHREAD_OWNER_H
#define UNP_PTHREAD_OWNER_H

#include <stddef.h>

#include "unp.h"

/*
 * Where a thread's own struct pthread, which pthread_self(3) points to, has its number as
 * gettid(2) gives it, and the head of its list of robust mutexes, as get_robust_list(2) does.
 */
int unp_thread_try_layout(size_t *tid, size_t *robust);

/*
 * Mutexes that check or count, neither robust nor of a protocol. To the words of
 * unp_mutex_try_layout these are added:
 *
 *	1  count  how often the owner has locked one that is recursive
 *	4  kind   1 recursive, 2 that checks for errors
 *
 * The lock word is that of a normal one; the owner is noted after it is taken, and no more
 * when it is given back.
 */
int unp_mutex_try_owned(void);

/*
 * Robust mutexes without a protocol, normal, that check or count; robust is where a thread's
 * list is. While one is held its lock is its owner's number, its count is 1, and it is the
 * first in his list when it was locked last: set_robust_list(2). In words of 64 bits:
 *
 *	3  prev  where the one before it has its next: it, or the list, is what points to this
 *	4  next  where the one after it has its next; this is what is in the list
 *
 * The list has a next, or itself, the distance from there to a lock, and what is about to be
 * locked or unlocked; before it, as in a mutex, prev.
 */
int unp_mutex_try_robust(size_t robust);

/*
 * Writers of a read-write lock. To the word of unp_rwlock_try_layout these are added:
 *
 *	 1  writers   how many wait, and a flag by which one passes the lock to the next
 *	 2  phase     1 while it is the writers' turn; readers who wait for theirs add 2 and sleep
 *	 3  sleepers  1 while a writer has it; writers who wait add 2 and sleep
 *	 6  writer    the thread number of who has it for writing
 *	 7  shared    other than 0 between processes
 *	12  kind      that of pthread_rwlockattr_setkind_np(3)
 */
int unp_rwlock_try_writers(void);

#endif
