/*
 * unp.h - the conventions of every header in this folder. No functions.
 *
 * Results  A function returns 0 or a positive errno value; it never sets errno
 *          for its caller. Results go through out-pointers, which are written
 *          only on success unless the header says otherwise.
 * Time     Durations are int64_t nanoseconds, named timeout_ns. UNP_FOREVER
 *          waits without limit, 0 does not wait at all.
 * Memory   "borrowed": the callee reads it during the call and keeps nothing.
 *          "caller frees": the result is the caller's, and the header names
 *          the function that frees it.
 * Threads  A function may be called on any thread unless its header says so.
 */
#ifndef UNP_H
#define UNP_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define UNP_FOREVER ((int64_t)-1)

#endif
