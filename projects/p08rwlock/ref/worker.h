/* worker - one reader or writer of test_myrwlock, a thread or a process. */
#ifndef WORKER_H
#define WORKER_H

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>

#include "../../internal/measure/ref/clock.h"
#include "board.h"

#define SECOND INT64_C(1000000000)

struct record { /* what one worker has seen; only it writes this */
	uint64_t operations;
	uint64_t wrong;	      /* operations that were not as they must be */
	int64_t max_wait;     /* ns */
	int64_t starved_wait; /* ns, the longest wait in which too many others went ahead */
	uint64_t starved_by;  /* so many */
	uint64_t unused[3];
};

struct tally {
	int64_t end;	/* of the test, CLOCK_MONOTONIC in ns */
	int64_t events; /* lines about events that are still to be printed, and the last one */

	/* The workers begin when the last one of them is there. */
	uint32_t ready;	  /* so many are */
	uint32_t started; /* 1: all are, or the test is over */
	struct record worker[];
};

static struct {
	unsigned readers, writers;
	int64_t duration, hold, pause;
} test;
static struct board *board;
static struct tally *tally;

/* Signed, for what is left may be less than nothing. */
static inline int64_t now(void)
{
	return (int64_t)now_ns();
}

static inline struct timespec timespec(int64_t ns)
{
	return (struct timespec){.tv_sec = ns / SECOND, .tv_nsec = ns % SECOND};
}

static inline int64_t end_of_test(void)
{
	return __atomic_load_n(&tally->end, __ATOMIC_SEQ_CST);
}

/* Lets those begin who wait for it. Also called by signal handlers. */
static inline void start(int64_t end)
{
	__atomic_store_n(&tally->end, end, __ATOMIC_SEQ_CST);
	__atomic_store_n(&tally->started, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &tally->started, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static inline void wait_started(void)
{
	while (!__atomic_load_n(&tally->started, __ATOMIC_SEQ_CST))
		syscall(SYS_futex, &tally->started, FUTEX_WAIT, 0, NULL, NULL, 0);
}

/* Waits until all workers are there. */
static inline void await_start(void)
{
	if (__atomic_add_fetch(&tally->ready, 1, __ATOMIC_SEQ_CST) == test.readers + test.writers)
		start(now() + test.duration);
	wait_started();
}

/* Lets time pass, until the end of the test, which a signal may bring forward. */
static inline void let_pass(int64_t ns)
{
	int64_t until = now() + ns, left;

	while ((left = (until < end_of_test() ? until : end_of_test()) - now()) > 0) {
		struct timespec t = timespec(left < SECOND / 50 ? left : SECOND / 50);
		nanosleep(&t, NULL);
	}
}

static inline void hold_lock(void)
{
	let_pass(test.hold);
}

static inline bool telling(void)
{
	return __atomic_load_n(&tally->events, __ATOMIC_SEQ_CST) > 0;
}

/* Prints a line about an event, in one write so that lines do not mix. */
__attribute__((format(printf, 3, 4))) static inline void tell(enum kind kind, unsigned number, const char *format, ...)
{
	char line[128];
	int64_t left;
	size_t n;
	va_list args;

	if (!telling())
		return;
	left = __atomic_sub_fetch(&tally->events, 1, __ATOMIC_SEQ_CST);
	if (left < 0)
		return;
	n = (size_t)snprintf(line, sizeof line, "%s %u ", kind == READER ? "Reader" : "Writer", number);
	va_start(args, format);
	n += (size_t)vsnprintf(line + n, sizeof line - n, format, args);
	va_end(args);
	if (left == 0)
		n = (size_t)snprintf(line, sizeof line, "...\n");
	if (write(STDOUT_FILENO, line, n) < 0)
		return; /* nobody reads it */
}

static inline const char *s(uint32_t n)
{
	return n == 1 ? "" : "s";
}

static inline void tell_waiting(enum kind kind, unsigned number)
{
	uint32_t holding[2], waiting[2];

	if (!telling() || myrwlock_state(&board->lock, holding, waiting) != 0)
		return;
	if (kind == WRITER && holding[READER])
		tell(kind, number, "waiting... (%u reader%s active)\n", holding[READER], s(holding[READER]));
	else if (holding[WRITER] || !waiting[WRITER])
		tell(kind, number, "waiting... (%u writer%s active)\n", holding[WRITER], s(holding[WRITER]));
	else
		tell(kind, number, "waiting... (%u writer%s waiting)\n", waiting[WRITER], s(waiting[WRITER]));
}

static inline void tell_acquired(enum kind kind, unsigned number)
{
	uint32_t holding[2], waiting[2];

	if (kind == WRITER)
		tell(kind, number, "acquired write lock\n");
	else if (telling() && myrwlock_state(&board->lock, holding, waiting) == 0)
		tell(kind, number, "acquired read lock (%u writer%s waiting)\n", waiting[WRITER], s(waiting[WRITER]));
}

static inline void check(enum kind kind, unsigned number, int error)
{
	if (error)
		die("%s %u: %s", kind == READER ? "reader" : "writer", number, strerror(error));
}

/*
 * Takes the lock and notes how long that took; false at the end of the test. That a wait
 * was long is no starvation if it was long for everybody, as on a machine that has too
 * much to do: others must have gone ahead.
 */
static inline bool take(enum kind kind, unsigned number, struct record *r)
{
	uint64_t before = __atomic_load_n(&board->entered, __ATOMIC_SEQ_CST), ahead;
	int64_t begin = now(), waited;
	int error = myrwlock_trylock(&board->lock, kind);

	if (error == EBUSY) {
		struct timespec deadline = timespec(end_of_test());
		tell_waiting(kind, number);
		error = myrwlock_lock(&board->lock, kind, &deadline);
	}
	if (error != ETIMEDOUT)
		check(kind, number, error);
	ahead = __atomic_load_n(&board->entered, __ATOMIC_SEQ_CST) - before;
	waited = now() - begin;
	if (waited > r->max_wait)
		r->max_wait = waited;
	if (waited > test.duration / 2 && ahead > 3 * (test.readers + test.writers) && waited > r->starved_wait) {
		r->starved_wait = waited;
		r->starved_by = ahead;
	}
	if (error)
		return false;
	__atomic_add_fetch(&board->entered, 1, __ATOMIC_SEQ_CST);
	tell_acquired(kind, number);
	return true;
}

/* The i-th of the readers, and the writers behind them. */
static inline void work(unsigned i)
{
	enum kind kind = i < test.readers ? READER : WRITER;
	unsigned number = kind == READER ? i + 1 : i + 1 - test.readers;
	struct record *r = &tally->worker[i];

	while (now() < end_of_test() && take(kind, number, r)) {
		r->wrong += !access_cells(board, kind, hold_lock);
		r->operations++;
		tell(kind, number, "released %s lock\n", kind == READER ? "read" : "write");
		check(kind, number, myrwlock_unlock(&board->lock, kind));
		let_pass(test.pause);
	}
}
#endif
