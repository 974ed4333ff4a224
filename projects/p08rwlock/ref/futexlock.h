/*
 * futexlock - a read-write lock in which every reader has a word of its own.
 *
 * To come takes one atomic instruction, to go takes none; see ../futex.go, which has the
 * same layout. Memory that is zero is a lock that is free. It may be shared between
 * processes. Functions return 0 or an error number. A deadline is a time of
 * CLOCK_MONOTONIC; NULL waits for ever.
 */
#ifndef FUTEXLOCK_H
#define FUTEXLOCK_H

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define FUTEX_SLOTS 1024

/* A cache line that only one reader writes. */
struct futexslot {
	_Alignas(64) uint32_t reading; /* 1: he is in */
	uint32_t owner;		       /* process; 0: nobody's */
};

struct futexlock {
	uint32_t writer; /* 2: a writer is in, or waits for the readers to leave */
	uint32_t opened; /* event: a writer has left; for readers and for other writers */
	uint32_t left;	 /* event: a reader has left; for the writer */
	uint32_t used;	 /* slots that have ever been somebody's */
	uint32_t polls;	 /* 1: sleepers must look again without being woken */
	struct futexslot slot[FUTEX_SLOTS];
};

_Static_assert(sizeof(struct futexlock) == 64 * (1 + FUTEX_SLOTS), "layout");

static inline uint32_t fl_read(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

/* ---- events ------------------------------------------------------------------ */

/* Wakes all who sleep; an event is odd if somebody does, or is about to. */
static inline void fl_happen(uint32_t *event)
{
	uint32_t v = fl_read(event);

	while (v & 1) {
		if (!__atomic_compare_exchange_n(event, &v, v + 1, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			continue;
		syscall(SYS_futex, event, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
		return;
	}
}

/* Leaves by a plain store, and makes the event happen if somebody sleeps for it. */
static inline void fl_leave(uint32_t *word, uint32_t *event)
{
	__atomic_store_n(word, 0, __ATOMIC_RELEASE);
	if (fl_read(event) & 1)
		fl_happen(event);
}

static inline bool fl_over(const struct timespec *deadline)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return deadline && (now.tv_sec > deadline->tv_sec ||
			    (now.tv_sec == deadline->tv_sec && now.tv_nsec >= deadline->tv_nsec));
}

/*
 * Sleeps until the event, unless what is waited for is so already. Who makes it happen
 * stores, and then looks at the event; his processor may put off the store until after the
 * look. The membarrier is a barrier in between for all who use such locks: either the store
 * is seen here, or the look sees that the event is odd.
 */
static inline int fl_sleep(struct futexlock *l, uint32_t *event, bool (*already)(struct futexlock *l),
			   const struct timespec *deadline)
{
	uint32_t v = fl_read(event);
	bool woken;

	while (!(v & 1) && !__atomic_compare_exchange_n(event, &v, v + 1, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
	woken = !fl_read(&l->polls) && syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0) == 0;
	if (already(l))
		return 0;
	if (!woken)
		nanosleep(&(struct timespec){.tv_nsec = 1000 * 1000}, NULL);
	else if (syscall(SYS_futex, event, FUTEX_WAIT_BITSET, v | 1, deadline, NULL, FUTEX_BITSET_MATCH_ANY) == 0)
		return 0;
	return fl_over(deadline) ? ETIMEDOUT : 0;
}

/* Whether to look again before the sleep: at once, and after naps. */
static inline bool fl_again(int *looks)
{
	enum { BUSY = 1, NAPS = 8 };

	if (++*looks <= BUSY) {
#ifdef __x86_64__
		__builtin_ia32_pause();
#endif
	} else if (*looks <= BUSY + NAPS) {
		nanosleep(&(struct timespec){.tv_nsec = 50 * 1000}, NULL);
	} else {
		*looks = 0;
		return false;
	}
	return true;
}

/* ---- the interface ------------------------------------------------------------ */

/* To be called by each process before it uses such locks, with each of them. */
static inline void futexlock_attach(struct futexlock *l)
{
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0) != 0)
		__atomic_store_n(&l->polls, 1, __ATOMIC_SEQ_CST);
}

/*
 * A slot for one reader, or NULL if there are too many. That of a process that is gone and
 * did not hold the lock is used again.
 */
static inline struct futexslot *futexlock_reader(struct futexlock *l)
{
	uint32_t me = (uint32_t)getpid(), owner, used;

	for (uint32_t i = 0; i < FUTEX_SLOTS; i++) {
		struct futexslot *s = &l->slot[i];
		owner = fl_read(&s->owner);
		if (owner && (owner == me || fl_read(&s->reading) || kill((pid_t)owner, 0) == 0 || errno != ESRCH))
			continue;
		if (!__atomic_compare_exchange_n(&s->owner, &owner, me, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			continue;
		used = fl_read(&l->used);
		while (used <= i &&
		       !__atomic_compare_exchange_n(&l->used, &used, i + 1, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			;
		return s;
	}
	return NULL;
}

static inline bool fl_open(struct futexlock *l)
{
	return fl_read(&l->writer) == 0;
}

static inline bool fl_empty(struct futexlock *l)
{
	uint32_t used = fl_read(&l->used);

	for (uint32_t i = 0; i < used; i++)
		if (fl_read(&l->slot[i].reading))
			return false;
	return true;
}

/* EDEADLK: this reader holds it; ETIMEDOUT. */
static inline int futexlock_rdlock(struct futexlock *l, struct futexslot *s, const struct timespec *deadline)
{
	int looks = 0, error;

	if (s->reading)
		return EDEADLK;
	for (;;) {
		__atomic_exchange_n(&s->reading, 1, __ATOMIC_SEQ_CST);
		if (fl_open(l))
			return 0;
		fl_leave(&s->reading, &l->left);
		while (!fl_open(l))
			if (!fl_again(&looks) && (error = fl_sleep(l, &l->opened, fl_open, deadline)))
				return error;
	}
}

static inline void futexlock_rdunlock(struct futexlock *l, struct futexslot *s)
{
	fl_leave(&s->reading, &l->left);
}

/* ETIMEDOUT. */
static inline int futexlock_wrlock(struct futexlock *l, const struct timespec *deadline)
{
	enum { DRAIN = 20 };
	int looks = 0, error;
	uint32_t none = 0;

	while (!__atomic_compare_exchange_n(&l->writer, &none, 2, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
		if (!fl_again(&looks) && (error = fl_sleep(l, &l->opened, fl_open, deadline)))
			return error;
		none = 0;
	}
	for (looks = -DRAIN; !fl_empty(l);)
		if (!fl_again(&looks) && (error = fl_sleep(l, &l->left, fl_empty, deadline))) {
			fl_leave(&l->writer, &l->opened);
			return error;
		}
	return 0;
}

static inline void futexlock_wrunlock(struct futexlock *l)
{
	fl_leave(&l->writer, &l->opened);
}

#endif
