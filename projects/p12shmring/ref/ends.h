/* The ring's two ends. */
#ifndef ENDS_H
#define ENDS_H

#include "ring.h"

struct producer {
	struct ring *r;
	unsigned char *bytes;
	uint64_t capacity, batch, tail, published, limit, need, at;
	bool (*gone)(void);
};

static inline void producer_init(struct producer *p, struct ring *r, bool (*gone)(void))
{
	uint64_t tail = atomic_load(&r->tail);

	*p = (struct producer){.r = r, .bytes = r->bytes, .capacity = r->capacity,
		.tail = tail, .published = tail, .limit = tail, .gone = gone};
}

static inline void producer_flush(struct producer *p)
{
	if (p->published == p->tail)
		return;
	p->published = p->tail;
	atomic_store(&p->r->tail, p->tail); /* and a fence before the load in wake */
	wake(&p->r->consumer_sleeps);
}

static inline void producer_close(struct producer *p)
{
	producer_flush(p);
	atomic_store(&p->r->producer_closed, 1);
	wake(&p->r->consumer_sleeps);
}

static inline bool has_room(void *arg)
{
	struct producer *p = arg;
	uint64_t head = atomic_load(&p->r->head);

	if (p->tail - head > p->capacity)
		die("the ring is corrupt: head %llu, tail %llu", (unsigned long long)head, (unsigned long long)p->tail);
	p->limit = head + p->capacity;
	if (atomic_load(&p->r->consumer_closed))
		die("the ring is closed");
	return p->limit - p->tail >= p->need;
}

static inline void write_record(struct producer *p, uint64_t at, uint32_t length, uint32_t mark)
{
	struct record h = {length, mark};

	memcpy(p->bytes + at, &h, sizeof(h));
}

/* Room for a message of n bytes, in the ring itself. */
static inline unsigned char *reserve(struct producer *p, uint64_t n)
{
	uint64_t size = record_size(n), at = p->tail & (p->capacity - 1);
	uint64_t skip = p->capacity - at < size ? p->capacity - at : 0;

	if (n > ring_largest(p->capacity))
		die("message too long: %llu bytes, the largest is %llu", (unsigned long long)n,
			(unsigned long long)ring_largest(p->capacity));
	p->need = skip + size;
	if (p->limit - p->tail < p->need && !has_room(p)) {
		producer_flush(p); /* or the consumer might sleep as well */
		await(&p->r->producer_sleeps, has_room, p, p->gone);
	}
	if (skip) {
		write_record(p, at, skip - sizeof(struct record), MARK_SKIP);
		p->tail += skip;
		at = 0;
	}
	p->at = at;
	return p->bytes + at + sizeof(struct record);
}

/* Makes the first n bytes of what is reserved a message. */
static inline void commit(struct producer *p, uint64_t n)
{
	write_record(p, p->at, n, MARK_MESSAGE);
	p->tail += record_size(n);
	if (p->tail - p->published > p->batch)
		producer_flush(p);
}

struct consumer {
	struct ring *r;
	unsigned char *bytes;
	uint64_t capacity, next, released, published, limit;
	bool closed;
	bool (*gone)(void);
};

static inline void consumer_init(struct consumer *c, struct ring *r, bool (*gone)(void))
{
	uint64_t head = atomic_load(&r->head);

	*c = (struct consumer){.r = r, .bytes = r->bytes, .capacity = r->capacity,
		.next = head, .released = head, .published = head, .limit = head, .gone = gone};
}

static inline void give_back(struct consumer *c)
{
	if (c->published == c->released)
		return;
	c->published = c->released;
	atomic_store(&c->r->head, c->released);
	wake(&c->r->producer_sleeps);
}

static inline bool has_record(void *arg)
{
	struct consumer *c = arg;
	uint64_t tail;

	c->closed = atomic_load(&c->r->producer_closed); /* before the tail */
	tail = atomic_load(&c->r->tail);
	if (tail - c->published > c->capacity || tail - c->next > tail - c->published || (tail - c->next) % 8)
		die("the ring is corrupt: head %llu, tail %llu", (unsigned long long)c->next, (unsigned long long)tail);
	c->limit = tail;
	return c->limit != c->next || c->closed;
}

/* The next message, in the ring itself, until release; NULL at the end. */
static inline unsigned char *next(struct consumer *c, uint32_t *length)
{
	for (;;) {
		uint64_t at = c->next & (c->capacity - 1), size;
		struct record h;

		if (c->next == c->limit && !has_record(c)) {
			give_back(c); /* or the producer might sleep as well */
			await(&c->r->consumer_sleeps, has_record, c, c->gone);
		}
		if (c->next == c->limit) {
			give_back(c);
			return NULL;
		}
		memcpy(&h, c->bytes + at, sizeof(h));
		size = record_size(h.length);
		if (size > c->capacity - at || size > c->limit - c->next ||
		    (h.mark != MARK_MESSAGE && h.mark != MARK_SKIP))
			die("the ring is corrupt: a record of %u bytes, mark %#x, at %llu", h.length, h.mark,
				(unsigned long long)c->next);
		c->next += size;
		if (h.mark == MARK_MESSAGE) {
			*length = h.length;
			return c->bytes + at + sizeof(h);
		}
	}
}

static inline void release(struct consumer *c)
{
	c->released = c->next;
	if (c->released - c->published > c->capacity / 4)
		give_back(c);
}

#endif
