/*
 * The bounded buffer of producer_consumer and pc_join: a monitor in memory that threads,
 * or processes, share. The layout is a contract between programs in any language.
 */
#ifndef BUFFER_H
#define BUFFER_H

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAGIC "PRODCON1"
#define MAX_MEMBERS 1024
#define SECOND 1000000000L

enum variant { WHILE, IF, SIGNAL, BROADCAST };
enum { NOT_FULL, NOT_EMPTY, BEGUN, CHANGED };	/* conditions */
enum { PRODUCER, CONSUMER };
enum { GOES_ON, INTERRUPTED, DEADLOCK, DIED, NO_OUTPUT };	/* why it stopped */

struct member {
	int64_t sent;		/* items it has produced */
	int64_t seen;		/* number of its last item that was consumed */
	int32_t pid;
	int32_t kind;
	int32_t number;		/* of P1, P2, ... or C1, C2, ... */
	int32_t gone;
};

struct slot {
	int64_t item;
	int64_t seq;		/* of its producer's items */
	int64_t producer;	/* member */
};

struct buffer {
	char magic[8];		/* last of all to be written */
	int32_t variant;
	int32_t capacity;
	int64_t items;
	int32_t owner;		/* process that began the run */
	int32_t shared;		/* between processes */
	_Alignas(64) pthread_mutex_t mutex;
	struct { _Alignas(64) pthread_cond_t c; } cond[4];
	/* All that follows is protected by the mutex. */
	_Alignas(64) int64_t produced;
	int64_t consumed;
	int64_t waits[2];	/* at NOT_FULL, NOT_EMPTY: the statistics */
	int64_t twice, strange, disorder;	/* what was wrong with items */
	int64_t changes;
	int32_t filled, in, out;
	int32_t begun, stop;
	int32_t waiting[2];	/* threads in pthread_cond_wait, by condition */
	int32_t woken[2];	/* of these, those that a signal has been sent for */
	int32_t members, present, numbers[2];
	int32_t stuck, unused;	/* members that waited at a deadlock */
	struct member member[MAX_MEMBERS];
	struct slot slot[];	/* and then a bit for every item */
};

static inline size_t buffer_size(int64_t capacity, int64_t items)
{
	return sizeof(struct buffer) + (size_t)capacity * sizeof(struct slot) + (size_t)(items / 64 + 1) * 8;
}

static inline uint64_t *seen_bits(struct buffer *b)
{
	return (uint64_t *)(b->slot + b->capacity);
}

/* How a thread takes part. */
struct part {
	struct buffer *b;
	int me;			/* member */
	bool quiet;
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

static inline void wake(struct buffer *b, int which)
{
	int c = condition(b, which);

	if (b->waiting[c] == 0)
		return;
	if (b->variant == BROADCAST) {
		pthread_cond_broadcast(&b->cond[c].c);
		b->woken[c] = b->waiting[c];
	} else {
		pthread_cond_signal(&b->cond[c].c);
		if (b->woken[c] < b->waiting[c])
			b->woken[c]++;
	}
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

/* Puts the next item into the buffer; false when there is none. */
static inline bool put(struct part *p)
{
	struct buffer *b = p->b;

	lock(b);
	while (b->filled == b->capacity && b->produced < b->items && !b->stop) {
		wait_once(p, NOT_FULL);
		if (b->variant == IF)
			break;
	}
	if (b->produced == b->items || b->stop) {
		unlock(b);
		return false;
	}
	struct member *m = &b->member[p->me];
	b->slot[b->in] = (struct slot){ ++b->produced, ++m->sent, p->me };
	b->in = (b->in + 1) % b->capacity;
	b->filled++;
	b->changes++;
	say(p, "Produced", b->produced);
	if (b->produced == b->items)
		wake_all(b);
	else
		wake(b, NOT_EMPTY);
	unlock(b);
	return true;
}

/* Notes that an item was taken out: each one once, and those of a producer in order. */
static inline void check_off(struct buffer *b, struct slot s)
{
	uint64_t bit = 1ull << s.item % 64, *word = &seen_bits(b)[s.item / 64];

	if (s.item < 1 || s.item > b->items) {
		b->strange++;
		return;
	}
	b->twice += (*word & bit) != 0;
	*word |= bit;
	struct member *m = &b->member[s.producer];
	b->disorder += s.seq != m->seen + 1;
	m->seen = s.seq;
}

/* Takes an item out of the buffer; false when there will be no more. */
static inline bool take(struct part *p)
{
	struct buffer *b = p->b;

	lock(b);
	while (b->filled == 0 && b->consumed < b->items && !b->stop) {
		wait_once(p, NOT_EMPTY);
		if (b->variant == IF)
			break;
	}
	if (b->consumed == b->items || b->stop) {
		unlock(b);
		return false;
	}
	struct slot s = b->slot[b->out];
	b->out = (b->out + 1) % b->capacity;
	b->filled--;
	b->consumed++;
	b->changes++;
	check_off(b, s);
	say(p, "Consumed", s.item);
	if (b->consumed == b->items)
		wake_all(b);
	else
		wake(b, NOT_FULL);
	unlock(b);
	return true;
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

/* What a member does, from its begin to its end. */
static inline void take_part(struct part *p)
{
	struct buffer *b = p->b;

	lock(b);
	int kind = b->member[p->me].kind;
	while (kind == PRODUCER && !b->begun && !b->stop)
		locked(b, pthread_cond_wait(&b->cond[BEGUN].c, &b->mutex));
	unlock(b);
	while (kind == PRODUCER ? put(p) : take(p))
		;
	lock(b);
	leave(b, p->me);
	unlock(b);
}

#endif
