/* The manager's look through the pool: who died, what is missing, who is done. */
#ifndef WATCH_H
#define WATCH_H

#include <poll.h>
#include <sys/syscall.h>

#include "pool.h"

#define LOOKS 3 /* for so many ticks a token must be missing before it is given back */

/* What is known of the process of an entry. */
static struct watch {
	uint64_t serial;
	int pidfd; /* -1: its death is looked for in /proc */
} watched[ENTRIES];

static uint32_t missing[LOOKS];
static unsigned look;
static uint64_t empty_since; /* 0: workers are there */

/* The counters at the last report. */
static struct { uint64_t seen, completed, failed, died, lent, reclaimed, overtaken; } told;

/* Whether the process of an entry is dead. pidfd_open comes first: what start time is read
 * then is of the process that the descriptor is of, or that one is dead. */
static inline bool dead(uint32_t i)
{
	const struct entry *e = &pool->table[i];
	struct watch *w = &watched[i];
	if (w->serial != e->serial) {
		if (w->pidfd >= 0)
			close(w->pidfd);
		w->serial = e->serial;
		w->pidfd = syscall(SYS_pidfd_open, e->pid, 0);
		return !is_process(e->pid, e->started);
	}
	if (w->pidfd < 0)
		return !is_process(e->pid, e->started);
	struct pollfd ended = {w->pidfd, POLLIN, 0};
	return poll(&ended, 1, 0) > 0;
}

/* Takes a dead worker out of the pool. */
static inline void bury(FILE *log, struct entry *e)
{
	fprintf(log, "Worker %u (process %d) died", e->worker, e->pid);
	if (e->state == HOLDING && e->slot < pool->slots) {
		pool->slot[e->slot].dirty = pool->lends;
		vacate(e);
		pool->reclaimed++;
		sem_post(&pool->available);
		fprintf(log, ": connection given back (%u remaining)", pool->free);
	} else if (e->state == WAITING || e->state == GRANTED) {
		pool->waiting--;
	}
	fputc('\n', log);
	e->state = UNUSED;
	pool->died++;
}

/*
 * Posts tokens again that were there at several looks while workers waited. Who is killed
 * just as a post has woken it takes that wake-up with it, and the next one sleeps on beside
 * a token.
 */
static inline void wake(int value)
{
	static int stuck;
	if (value <= 0 || !pool->waiting) {
		stuck = 0;
		return;
	}
	if (++stuck < LOOKS)
		return; /* who was woken may be on the way */
	stuck = 0;
	for (int i = 0; i < value && i < (int)pool->waiting; i++)
		if (sem_trywait(&pool->available) == 0)
			sem_post(&pool->available);
}

/*
 * Who is killed between the semaphore and the table leaves the semaphore too low, and
 * nobody can tell it from one who is just on the way. So what was missing at every one of
 * the last looks is given back; if it was on the way after all it finds no free connection,
 * and waits again.
 */
static inline void balance(FILE *log)
{
	int value = 0;
	sem_getvalue(&pool->available, &value);
	for (; value > (int)pool->free && sem_trywait(&pool->available) == 0; value--)
		;
	wake(value);
	missing[look++ % LOOKS] = (int)pool->free > value ? pool->free - value : 0;
	uint32_t lost = missing[0];
	for (int i = 1; i < LOOKS; i++)
		lost = missing[i] < lost ? missing[i] : lost;
	if (!lost)
		return;
	memset(missing, 0, sizeof missing);
	fprintf(log, "Tokens lost with a killed worker: %u given back\n", lost);
	while (lost--)
		sem_post(&pool->available);
}

/* Says what became of the workers since the last report. True if all completed. */
static inline bool report(FILE *log)
{
	uint64_t seen = pool->seen - told.seen, completed = pool->completed - told.completed;
	fprintf(log, "Workers: %" PRIu64 " completed, %" PRIu64 " failed, %" PRIu64 " died; connections lent: %" PRIu64
		", given back for the dead: %" PRIu64 "\n", completed, pool->failed - told.failed,
		pool->died - told.died, pool->lent - told.lent, pool->reclaimed - told.reclaimed);
	fprintf(log, "Order: %" PRIu64 " of %" PRIu64 " overtook one that had waited longer; longest wait %.3f s\n",
		pool->overtaken - told.overtaken, pool->lent - told.lent, seconds(pool->longest_wait));
	bool all = completed == seen;
	if (all)
		fprintf(log, "All workers completed successfully\n");
	else
		fprintf(log, "%" PRIu64 " of %" PRIu64 " workers completed successfully\n", completed, seen);
	told.seen = pool->seen, told.completed = pool->completed, told.failed = pool->failed;
	told.died = pool->died, told.lent = pool->lent, told.reclaimed = pool->reclaimed;
	told.overtaken = pool->overtaken, pool->longest_wait = 0;
	return all;
}

/* Looks through the pool. True when `workers` have come and gone; *all: successfully. */
static inline bool inspect(FILE *log, uint64_t workers, bool *all)
{
	bool empty = true, done = false;
	if (!try_lock()) {
		fprintf(log, "Somebody keeps the pool locked\n");
		return false;
	}
	for (uint32_t i = 0; i < ENTRIES; i++) {
		struct entry *e = &pool->table[i];
		if (e->state != UNUSED && dead(i))
			bury(log, e);
		if (e->state != UNUSED) {
			empty = false;
		} else if (watched[i].pidfd >= 0) {
			close(watched[i].pidfd);
			watched[i].pidfd = -1;
		}
	}
	repair(); /* so that no damage to what follows from the table lasts */
	balance(log);
	if (!empty || pool->seen == told.seen)
		empty_since = 0;
	else if (!empty_since)
		empty_since = now_ns();
	if (workers)
		done = empty && pool->seen >= workers;
	if (done || (!workers && empty_since && now_ns() - empty_since >= SECOND))
		*all = report(log);
	unlock();
	return done;
}

#endif
