/* The shared memory of a run: a contract between programs in any language. */
#ifndef LAYOUT_H
#define LAYOUT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>

#define MAGIC "PRODCON1"
#define MAX_MEMBERS 1024

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

#endif
