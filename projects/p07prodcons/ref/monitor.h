/* The monitor of producer_consumer and pc_join: waiting, waking, turns, joining, leaving. */
#ifndef MONITOR_H
#define MONITOR_H

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "layout.h"

#define SECOND 1000000000L

/* How a thread takes part. */
struct part {
	struct buffer *b;
	int me;			/* member */
	bool quiet;
	int turn;		/* items that it may move before it lets others in */
	int cpu;		/* on which it is to be, or ANY_CPU */
	int moved;		/* in this turn */
	bool owed[2];		/* conditions at which it has yet to wake one */
};

/* SIGNAL and BROADCAST make do with one condition for two purposes. */
static inline int condition(struct buffer *b, int which)
{
	return b->variant == WHILE || b->variant == IF ? which : NOT_FULL;
}

static inline void wake_all(struct buffer *b)
{
	for (int i = 0; i < 4; i++)
		pthread_cond_broadcast(&b->cond[i].c);
	b->woken[0] = b->waiting[0];
	b->woken[1] = b->waiting[1];
}

static inline void stop_run(struct buffer *b, int why)
{
	if (b->stop == GOES_ON) {
		b->stop = why;
		b->stuck = b->present;
	}
	wake_all(b);
}

/*
 * What a lock call said. A dead owner of the mutex may have left anything behind; a
 * condition variable is not robust either. So nobody is woken: the run's owner ends it.
 */
static inline void locked(struct buffer *b, int error)
{
	if (error != EOWNERDEAD)
		return;
	pthread_mutex_consistent(&b->mutex);
	b->stop = DIED;
}

static inline void lock(struct buffer *b)
{
	locked(b, pthread_mutex_lock(&b->mutex));
}

static inline void unlock(struct buffer *b)
{
	pthread_mutex_unlock(&b->mutex);
}

static inline int wait_for(struct buffer *b, int which, long ns)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += (t.tv_nsec + ns) / SECOND;
	t.tv_nsec = (t.tv_nsec + ns) % SECOND;
	int error = pthread_cond_clockwait(&b->cond[which].c, &b->mutex, CLOCK_MONOTONIC, &t);
	locked(b, error);
	return error;
}

static inline bool all_wait(struct buffer *b)
{
	return b->begun && b->waiting[0] + b->waiting[1] == b->present && b->woken[0] + b->woken[1] == 0;
}

/* Ends a turn: wakes those whom next has not woken yet. To be called before the mutex is given up. */
static inline void pay(struct part *p)
{
	struct buffer *b = p->b;

	p->moved = 0;
	for (int c = 0; c < 2; c++) {
		if (!p->owed[c])
			continue;
		p->owed[c] = false;
		if (b->variant == BROADCAST) {
			pthread_cond_broadcast(&b->cond[c].c);
			b->woken[c] = b->waiting[c];
		} else {
			pthread_cond_signal(&b->cond[c].c);
			if (b->woken[c] < b->waiting[c])
				b->woken[c]++;
		}
	}
}

/*
 * Ends a step, after which one that waits for which may go on. It cannot before the mutex
 * is free, so it is woken when the turn is over; then others get the mutex. One that a
 * signal has been sent for needs no other.
 */
static inline void next(struct part *p, int which)
{
	int c = condition(p->b, which);

	p->owed[c] = p->b->waiting[c] > p->b->woken[c];
	if (++p->moved >= p->turn) {
		pay(p);
		unlock(p->b);
		lock(p->b);
	}
}

/*
 * Signals once more where all that wait have been sent a signal. That does nothing, unless
 * one was lost on the way: glibc's before 2.41 could lose it (its bug 25847). So it is for
 * those who go to sleep and may be the last.
 */
static inline void remind(struct buffer *b, int c)
{
	if (b->waiting[c] > 0 && b->woken[c] == b->waiting[c])
		pthread_cond_signal(&b->cond[c].c);
}

/*
 * One wait for a condition. When the last one that could wake the others goes to sleep
 * too, it looks again after a second: then they are asleep for ever.
 */
static inline void wait_once(struct part *p, int which)
{
	struct buffer *b = p->b;
	int c = condition(b, which), error = 0;
	int64_t before = b->changes;
	bool last;

	pay(p);
	remind(b, condition(b, 1 - which));
	b->waits[which]++;
	b->waiting[c]++;
	last = all_wait(b);
	if (last)
		error = wait_for(b, c, SECOND);
	else
		locked(b, pthread_cond_wait(&b->cond[c].c, &b->mutex));
	if (error == ETIMEDOUT && last && all_wait(b) && b->changes == before)
		stop_run(b, DEADLOCK);
	b->waiting[c]--;
	if (b->woken[c] > 0 && (error != ETIMEDOUT || b->woken[c] > b->waiting[c]))
		b->woken[c]--;
}

/* One write under the mutex, so that the lines are in the order of what they tell. */
static inline void say(struct part *p, const char *did, int64_t item)
{
	struct member *m = &p->b->member[p->me];
	char line[64];

	if (p->quiet)
		return;
	int n = snprintf(line, sizeof(line), "[%c%d] %s item %lld\n", m->kind == PRODUCER ? 'P' : 'C',
			 m->number, did, (long long)item);
	if (write(STDOUT_FILENO, line, (size_t)n) != n)
		stop_run(p->b, NO_OUTPUT);
}

/* Adds a member, or returns -1 if there is no more room. Under the mutex. */
static inline int join(struct buffer *b, int kind)
{
	if (b->members == MAX_MEMBERS)
		return -1;
	b->member[b->members] = (struct member){ .pid = getpid(), .kind = kind, .number = ++b->numbers[kind] };
	b->present++;
	wake_all(b);
	return b->members++;
}

/* Under the mutex. It is gone only when nothing is left that can hang. */
static inline void leave(struct buffer *b, int me)
{
	b->present--;
	wake_all(b);
	b->member[me].gone = 1;
}

#endif
