/* The bounded buffer of producer_consumer and pc_join, that threads, or processes, share. */
#ifndef BUFFER_H
#define BUFFER_H

#include "cpu.h"
#include "monitor.h"

/*
 * Puts the next item into the buffer; false when there is none. Under the mutex, which is
 * free for a moment when it returns true.
 */
static inline bool put(struct part *p)
{
	struct buffer *b = p->b;

	while (b->filled == b->capacity && b->produced < b->items && !b->stop) {
		wait_once(p, NOT_FULL);
		if (b->variant == IF)
			break;
	}
	if (b->produced == b->items || b->stop)
		return false;
	struct member *m = &b->member[p->me];
	b->slot[b->in] = (struct slot){ ++b->produced, ++m->sent, p->me };
	b->in = (b->in + 1) % b->capacity;
	b->filled++;
	b->changes++;
	say(p, "Produced", b->produced);
	if (b->produced == b->items)
		wake_all(b);
	next(p, NOT_EMPTY);
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

/*
 * Takes an item out of the buffer; false when there will be no more. Under the mutex,
 * which is free for a moment when it returns true.
 */
static inline bool take(struct part *p)
{
	struct buffer *b = p->b;

	while (b->filled == 0 && b->consumed < b->items && !b->stop) {
		wait_once(p, NOT_EMPTY);
		if (b->variant == IF)
			break;
	}
	if (b->consumed == b->items || b->stop)
		return false;
	struct slot s = b->slot[b->out];
	b->out = (b->out + 1) % b->capacity;
	b->filled--;
	b->consumed++;
	b->changes++;
	check_off(b, s);
	say(p, "Consumed", s.item);
	if (b->consumed == b->items)
		wake_all(b);
	next(p, NOT_FULL);
	return true;
}

/* What a member does, from its begin to its end. */
static inline void take_part(struct part *p)
{
	struct buffer *b = p->b;
	bool placed = keep_to_cpu(p->cpu);

	lock(b);
	if (!placed)
		stop_run(b, DIED);
	int kind = b->member[p->me].kind;
	while (kind == PRODUCER && !b->begun && !b->stop)
		locked(b, pthread_cond_wait(&b->cond[BEGUN].c, &b->mutex));
	while (kind == PRODUCER ? put(p) : take(p))
		;
	leave(b, p->me);
	unlock(b);
}

#endif
