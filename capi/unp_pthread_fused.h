/*
 * unp_pthread_fused.h - work under a mutex in one call: lock, do, unlock.
 *
 * Needs shims because a call from Go into C costs more than a lock that is free: three
 * become one.
 *
 * m is the address of a pthread_mutex_t as a number. cgo would look into the object at
 * each call, as there are pointers in that type, and that takes a tenth of the time.
 *
 * Each returns the errno of the lock that failed, or that of the unlock. After EOWNERDEAD
 * (a robust mutex whose owner died) nothing was done and the mutex IS locked, by this
 * thread: what it protects is for the caller to judge and to repair.
 */
#ifndef UNP_PTHREAD_FUSED_H
#define UNP_PTHREAD_FUSED_H

#include <pthread.h>
#include <stdbool.h>

#include "unp.h"

/* f(arg) under the mutex, on this thread. */
int unp_mutex_call(uintptr_t m, void (*f)(void *arg), void *arg);

/* *word += delta, with the sum in *sum. */
int unp_mutex_add(uintptr_t m, int64_t *word, int64_t delta, int64_t *sum);

/* *value = *word. */
int unp_mutex_load(uintptr_t m, const int64_t *word, int64_t *value);

/* *word = value. */
int unp_mutex_store(uintptr_t m, int64_t *word, int64_t value);

/* memcpy(3) of n bytes that do not overlap; from is borrowed. */
int unp_mutex_copy(uintptr_t m, char *to, const char *from, size_t n);

/*
 * Wakes one that waits for the condition, or all, or nobody (NULL), unlocks, and locks
 * again: what a loop does between two rounds.
 */
int unp_mutex_relock(uintptr_t m, pthread_cond_t *wake, bool all);

#endif
