/* The other kinds of queue: what one writes first, slices, and locks. */
#ifndef OTHERS_H
#define OTHERS_H

#include "spsc.h"

static inline bool simple_push(struct end *e, uint64_t v)
{
	uint64_t tail = atomic_load(e->mine);

	if (tail - atomic_load(e->peer) > e->mask)
		return false;
	e->slot[tail & e->mask] = v;
	atomic_store(e->mine, tail + 1);
	return true;
}

static inline bool simple_pop(struct end *e, uint64_t *v)
{
	uint64_t head = atomic_load(e->mine);

	if (atomic_load(e->peer) == head)
		return false;
	*v = e->slot[head & e->mask];
	atomic_store(e->mine, head + 1);
	return true;
}

/* How many of n items may be moved now; the ring's end is at *first of them. */
static uint64_t span(struct end *e, uint64_t n, uint64_t *first)
{
	uint64_t to_end = e->mask + 1 - (e->own & e->mask);

	if (n > e->limit - e->own)
		n = e->limit - e->own;
	*first = n < to_end ? n : to_end;
	return n;
}

static void moved_slice(struct end *e, uint64_t n)
{
	e->own += n;
	e->stop = e->own;
	publish(e);
}

/* How many of as many slots as the last slice had items may be moved in. */
static uint64_t ahead(struct end *e, uint64_t n)
{
	return e->limit - e->own < n ? e->limit - e->own : n;
}

FETCHES_TO_WRITE static uint64_t push_slice(struct end *e, const uint64_t *v, uint64_t n)
{
	uint64_t first;

	if (e->limit - e->own < n)
		look_for_room(e);
	n = span(e, n, &first);
	memcpy(e->slot + (e->own & e->mask), v, first * 8);
	memcpy(e->slot, v + first, (n - first) * 8);
	moved_slice(e, n);
	FETCH(e, ahead(e, n), 1);
	return n;
}

static uint64_t pop_slice(struct end *e, uint64_t *v, uint64_t n)
{
	uint64_t first;

	if (e->limit == e->own)
		look_for_items(e);
	n = span(e, n, &first);
	memcpy(v, e->slot + (e->own & e->mask), first * 8);
	memcpy(v + first, e->slot, (n - first) * 8);
	moved_slice(e, n);
	FETCH(e, ahead(e, n), 0);
	return n;
}

/* How long a sleeper sleeps before it looks whether the other side is there. */
static struct timespec patience_end(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += 200 * 1000 * 1000;
	if (t.tv_nsec >= 1000 * 1000 * 1000) {
		t.tv_sec++;
		t.tv_nsec -= 1000 * 1000 * 1000;
	}
	return t;
}

/* Under the lock a plain access would do; the type is the header's. */
#define LOAD(p) atomic_load_explicit(p, memory_order_relaxed)
#define STORE(p, v) atomic_store_explicit(p, v, memory_order_relaxed)

static bool mutex_push(struct end *e, uint64_t v)
{
	struct header *h = e->h;
	uint64_t tail;

	pthread_mutex_lock(&h->mutex);
	tail = LOAD(e->mine);
	while (tail - LOAD(e->peer) > e->mask) {
		struct timespec end = patience_end();

		if (pthread_cond_clockwait(&h->empty.cond, &h->mutex, CLOCK_MONOTONIC, &end)) {
			pthread_mutex_unlock(&h->mutex);
			return false;
		}
	}
	e->slot[tail & e->mask] = v;
	if (tail == LOAD(e->peer))
		pthread_cond_signal(&h->full.cond);
	STORE(e->mine, tail + 1);
	pthread_mutex_unlock(&h->mutex);
	return true;
}

static bool mutex_pop(struct end *e, uint64_t *v)
{
	struct header *h = e->h;
	uint64_t head;

	pthread_mutex_lock(&h->mutex);
	head = LOAD(e->mine);
	while (LOAD(e->peer) == head) {
		struct timespec end = patience_end();

		if (pthread_cond_clockwait(&h->full.cond, &h->mutex, CLOCK_MONOTONIC, &end)) {
			pthread_mutex_unlock(&h->mutex);
			return false;
		}
	}
	*v = e->slot[head & e->mask];
	if (LOAD(e->peer) - head > e->mask)
		pthread_cond_signal(&h->empty.cond);
	STORE(e->mine, head + 1);
	pthread_mutex_unlock(&h->mutex);
	return true;
}

static bool sem_take(sem_t *s)
{
	struct timespec end;

	if (sem_trywait(s) == 0)
		return true;
	end = patience_end();
	while (sem_clockwait(s, CLOCK_MONOTONIC, &end))
		if (errno != EINTR)
			return false;
	return true;
}

static bool sem_push(struct end *e, uint64_t v)
{
	uint64_t tail;

	if (!sem_take(&e->h->empty.sem))
		return false;
	tail = LOAD(e->mine);
	e->slot[tail & e->mask] = v;
	STORE(e->mine, tail + 1);
	sem_post(&e->h->full.sem);
	return true;
}

static bool sem_pop(struct end *e, uint64_t *v)
{
	uint64_t head;

	if (!sem_take(&e->h->full.sem))
		return false;
	head = LOAD(e->mine);
	*v = e->slot[head & e->mask];
	STORE(e->mine, head + 1);
	sem_post(&e->h->empty.sem);
	return true;
}

#endif
