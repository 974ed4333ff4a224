/* The queue, in the layout of ../queue.go, and the ways to keep its ends apart. */
#ifndef SPSC_H
#define SPSC_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "../../internal/cli/ref/cli.h"

#define BLOCK 128
#define MAGIC UINT64_C(0x756e702d73707363)
#define VERSION 1
#define MAX_CAPACITY (1 << 28)
#define LINE 8      /* items in a cache line */
#define STRETCH 128 /* items between two stops */

enum kind { NAIVE, PADDED, CACHED, DEFERRED, BATCHED, MUTEX, SEM, KINDS };

static const char *const kind_names[KINDS] = {
	"naive", "padded", "cached", "deferred", "batched", "mutex", "semaphore"
};

struct header {
	_Atomic uint64_t magic; /* written last */
	uint32_t version, kind;
	uint64_t capacity;
	uint32_t tail_at, head_at, slots_at;
	uint64_t promised; /* how many items there will be in all; 0: unknown */

	_Alignas(BLOCK) _Atomic uint64_t tail; /* items ever written */
	_Atomic uint64_t near_head;            /* of NAIVE, MUTEX and SEM */
	_Alignas(BLOCK) _Atomic uint64_t far_head; /* of the others */

	_Alignas(BLOCK) pthread_mutex_t mutex;
	_Alignas(BLOCK) union { pthread_cond_t cond; sem_t sem; } full;
	_Alignas(BLOCK) union { pthread_cond_t cond; sem_t sem; } empty;
	_Alignas(BLOCK) uint64_t slot[];
};

static bool is_locked(enum kind k) { return k == MUTEX || k == SEM; }

static _Atomic uint64_t *head_of(struct header *h, enum kind k)
{
	return k == NAIVE || is_locked(k) ? &h->near_head : &h->far_head;
}

/* By what both sides have published. */
static inline bool queue_empty(struct header *h)
{
	return atomic_load(&h->tail) == atomic_load(head_of(h, h->kind));
}

static size_t queue_size(uint64_t capacity)
{
	return sizeof(struct header) + capacity * 8;
}

static uint32_t offset_in(struct header *h, void *part)
{
	return (char *)part - (char *)h;
}

/* h is zero and has room. */
static inline void queue_create(struct header *h, uint64_t capacity, enum kind k, uint64_t promised)
{
	h->version = VERSION;
	h->kind = k;
	h->capacity = capacity;
	h->tail_at = offset_in(h, &h->tail);
	h->head_at = offset_in(h, head_of(h, k));
	h->slots_at = sizeof(*h);
	h->promised = promised;
	if (k == MUTEX) {
		pthread_mutexattr_t m;
		pthread_condattr_t c;

		pthread_mutexattr_init(&m);
		pthread_mutexattr_setpshared(&m, PTHREAD_PROCESS_SHARED);
		pthread_mutex_init(&h->mutex, &m);
		pthread_condattr_init(&c);
		pthread_condattr_setpshared(&c, PTHREAD_PROCESS_SHARED);
		pthread_cond_init(&h->full.cond, &c);
		pthread_cond_init(&h->empty.cond, &c);
	} else if (k == SEM) {
		sem_init(&h->full.sem, 1, 0);
		sem_init(&h->empty.sem, 1, capacity);
	}
	atomic_store_explicit(&h->magic, MAGIC, memory_order_release);
}

/* What is wrong with the queue in so many bytes; NULL: nothing; "": not ready yet. */
static inline const char *queue_check(void *memory, size_t size)
{
	struct header *h = memory;
	uint64_t seen;

	if (size < sizeof(*h))
		return "too small for a queue";
	seen = atomic_load_explicit(&h->magic, memory_order_acquire);
	if (seen == 0)
		return "";
	if (seen != MAGIC)
		return "not a queue of this layout: magic";
	if (h->version != VERSION)
		return "not a queue of this layout: version";
	if (h->kind >= KINDS)
		return "not a queue of this layout: kind";
	if (h->capacity < 1 || h->capacity > MAX_CAPACITY || (h->capacity & (h->capacity - 1)) ||
	    queue_size(h->capacity) > size)
		return "not a queue of this layout: capacity";
	if (h->tail_at != offset_in(h, &h->tail) || h->head_at != offset_in(h, head_of(h, h->kind)) ||
	    h->slots_at != sizeof(*h))
		return "not a queue of this layout: its parts are elsewhere";
	return NULL;
}

/*
 * One end. The kinds CACHED, DEFERRED and BATCHED keep their own index here and
 * look at the other side's only when what they know of it is used up. Up to stop,
 * which is not beyond limit, there is nothing to do but to move items.
 */
struct end {
	_Alignas(BLOCK) uint64_t *slot;
	uint64_t mask, own, stop, limit, published, every;
	_Atomic uint64_t *mine, *peer;
	struct header *h;
	enum kind kind;
	uint32_t tries, pauses; /* see wait_turn */
	_Alignas(BLOCK) char after[BLOCK];
};

static void end_init(struct end *e, struct header *h, bool producer)
{
	e->h = h;
	e->kind = h->kind;
	e->slot = h->slot;
	e->mask = h->capacity - 1;
	e->mine = producer ? &h->tail : head_of(h, e->kind);
	e->peer = producer ? head_of(h, e->kind) : &h->tail;
	e->own = e->stop = e->limit = e->published = atomic_load_explicit(e->mine, memory_order_relaxed);
	/* By then many items have come or gone, but not all. */
	e->pauses = e->mask < 4 * 128 ? 4 : e->mask >= 32 * 128 - 1 ? 32 : (e->mask + 1) / 128;
	e->every = e->kind == DEFERRED && e->mask >= 3 ? (e->mask + 1) / 4 : 1;
}

static void publish(struct end *e)
{
	if (e->published != e->own) {
		e->published = e->own;
		atomic_store_explicit(e->mine, e->own, memory_order_release);
	}
}

static __attribute__((noinline)) bool look(struct end *e, uint64_t ahead)
{
	uint64_t limit = atomic_load_explicit(e->peer, memory_order_acquire) + ahead;

	if (limit - e->own > e->mask + 1)
		die("the queue's indices are corrupt");
	e->limit = limit;
	e->stop = e->own;
	if (limit == e->own)
		publish(e);
	return limit != e->own;
}

static bool look_for_room(struct end *e) { return look(e, e->mask + 1); }
static bool look_for_items(struct end *e) { return look(e, 0); }

/* How many items lie before the next stop. There must be something to move. */
static uint64_t go_on(struct end *e)
{
	uint64_t n = e->limit - e->own < STRETCH ? e->limit - e->own : STRETCH;

	e->stop = e->own + n;
	return n;
}

/*
 * Fetches the next n slots together from the other side's CPU. That costs more than all
 * else one line after the other. will_write is a constant.
 */
#define FETCH(e, n, will_write)                                                \
	for (uint64_t i_ = 0, n_ = (n); i_ < n_; i_ += LINE)                   \
	__builtin_prefetch(&(e)->slot[((e)->own + i_) & (e)->mask], will_write)

#if defined(__x86_64__)
#define FETCHES_TO_WRITE __attribute__((target("prfchw")))
#else
#define FETCHES_TO_WRITE
#endif

/* At a stop: there is room, or there are items. */
FETCHES_TO_WRITE static __attribute__((noinline)) bool more_room(struct end *e)
{
	if (e->own == e->limit && !look_for_room(e))
		return false;
	FETCH(e, go_on(e), 1);
	return true;
}

static __attribute__((noinline)) bool more_items(struct end *e)
{
	if (e->own == e->limit && !look_for_items(e))
		return false;
	FETCH(e, go_on(e), 0);
	return true;
}

static inline void advance(struct end *e)
{
	if (++e->own - e->published >= e->every) {
		e->published = e->own;
		atomic_store_explicit(e->mine, e->own, memory_order_release);
	}
}

static inline bool try_push(struct end *e, uint64_t v)
{
	if (e->own == e->stop && !more_room(e))
		return false;
	e->slot[e->own & e->mask] = v;
	advance(e);
	return true;
}

static inline bool try_pop(struct end *e, uint64_t *v)
{
	if (e->own == e->stop && !more_items(e))
		return false;
	*v = e->slot[e->own & e->mask];
	advance(e);
	return true;
}

#endif
