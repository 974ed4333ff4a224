/*
 * unp_pthread_fused.h - work under a mutex in one call: lock, do, unlock.
 *
 * Needs shims because a call from Go into C costs more than a lock that is free: three
 * become one.
 *
 * m is the address of a pthread_mutex_t as a number. cgo would look into the object at
 * each call, as there are pointers in that type, and that takes a tenth of the time. They
 * return nothing, because cgo then need not look twice where the caller's stack is.
 *
 * *error is the errno of the lock that failed, or that of the unlock, or 0. After EOWNERDEAD
 * (a robust mutex whose owner died) nothing was done and the mutex IS locked, by this
 * thread: what it protects is for the caller to judge and to repair.
 */
#ifndef UNP_PTHREAD_FUSED_H
#define UNP_PTHREAD_FUSED_H

#include "unp.h"

/* f(arg) under the mutex, on this thread. */
void unp_mutex_call(uintptr_t m, void (*f)(void *arg), void *arg, int *error);

/* *word += delta, with the sum in *sum. */
void unp_mutex_add(uintptr_t m, int64_t *word, int64_t delta, int64_t *sum, int *error);

/* *value = *word. */
void unp_mutex_load(uintptr_t m, const int64_t *word, int64_t *value, int *error);

/* *word = value. */
void unp_mutex_store(uintptr_t m, int64_t *word, int64_t value, int *error);

/* memcpy(3) of n bytes that do not overlap; from is borrowed. */
void unp_mutex_copy(uintptr_t m, char *to, const char *from, size_t n, int *error);

#endif
