/* The ring, in the layout of ../doc.go. */
#ifndef RING_H
#define RING_H

#include <linux/futex.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "../../internal/seats/ref/seats.h"

#define MAGIC UINT64_C(0x756e702d72696e67)
#define VERSION 1
#define MARK_MESSAGE 0x6d736721
#define MARK_SKIP 0x736b6970
#define LEAST_CAPACITY 64
#define GREATEST_CAPACITY (UINT64_C(1) << 31)
#define SPINS 50

enum { AWAKE, ASLEEP };

struct ring {
	_Atomic uint64_t magic; /* written last */
	uint32_t version, unused;
	uint64_t capacity;
	uint32_t tail_at, head_at, bytes_at;
	_Alignas(128) _Atomic uint64_t tail;
	_Alignas(128) _Atomic uint64_t head;
	_Alignas(128) _Atomic uint32_t consumer_sleeps;
	_Alignas(128) _Atomic uint32_t producer_sleeps;
	_Alignas(128) _Atomic uint32_t producer_closed;
	_Atomic uint32_t consumer_closed;
	_Alignas(256) unsigned char rest[256];
	unsigned char bytes[];
};

struct record {
	uint32_t length, mark;
};

static inline bool is_capacity(uint64_t n)
{
	return n >= LEAST_CAPACITY && n <= GREATEST_CAPACITY && (n & (n - 1)) == 0;
}

static inline size_t ring_size(uint64_t capacity)
{
	return sizeof(struct ring) + capacity;
}

/* r is zero and has room. */
static inline void ring_create(struct ring *r, uint64_t capacity)
{
	r->version = VERSION;
	r->capacity = capacity;
	r->tail_at = offsetof(struct ring, tail);
	r->head_at = offsetof(struct ring, head);
	r->bytes_at = offsetof(struct ring, bytes);
	atomic_store(&r->magic, MAGIC);
}

/* What is wrong with the ring in so many bytes; NULL: nothing; "": not ready yet. */
static inline const char *ring_check(void *memory, size_t size)
{
	struct ring *r = memory;
	uint64_t seen, capacity;

	if (size < ring_size(LEAST_CAPACITY))
		return "not a ring of this layout: too small";
	seen = atomic_load(&r->magic);
	if (seen == 0)
		return "";
	if (seen != MAGIC)
		return "not a ring of this layout: magic";
	if (r->version != VERSION)
		return "not a ring of this layout: version";
	capacity = r->capacity;
	if (!is_capacity(capacity) || ring_size(capacity) > size)
		return "not a ring of this layout: capacity";
	if (r->tail_at != offsetof(struct ring, tail) || r->head_at != offsetof(struct ring, head) ||
	    r->bytes_at != offsetof(struct ring, bytes))
		return "not a ring of this layout: its parts are elsewhere";
	return NULL;
}

static inline uint64_t record_size(uint64_t n) { return (sizeof(struct record) + n + 7) & ~UINT64_C(7); }
static inline uint64_t ring_largest(uint64_t capacity) { return capacity / 2 - sizeof(struct record); }

static inline void pause_cpu(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

static inline long futex(_Atomic uint32_t *word, int op, uint32_t value, const struct timespec *timeout)
{
	return syscall(SYS_futex, word, op, value, timeout, NULL, 0);
}

/* Wakes the other side if it sleeps; what it waits for was stored before. */
static inline void wake(_Atomic uint32_t *word)
{
	if (atomic_load(word) == ASLEEP) {
		atomic_store(word, AWAKE);
		futex(word, FUTEX_WAKE, 1, NULL);
	}
}

/* Sleeps until ready says so; check ends the process when that will never be. */
static inline void await(_Atomic uint32_t *word, bool (*ready)(void *), void *arg, bool (*gone)(void))
{
	const struct timespec patience = {.tv_nsec = 100 * 1000 * 1000};

	for (;;) {
		for (int i = 0; i < SPINS; i++) {
			if (ready(arg))
				return;
			pause_cpu();
		}
		atomic_store(word, ASLEEP);
		/* Who publishes after this look sees that this side sleeps. */
		if (ready(arg)) {
			atomic_store(word, AWAKE);
			return;
		}
		if (futex(word, FUTEX_WAIT, ASLEEP, &patience) && errno == ETIMEDOUT) {
			/* The last look is after the check. */
			bool end = gone();

			atomic_store(word, AWAKE);
			if (ready(arg))
				return;
			if (end)
				die("the other side is gone");
		}
		atomic_store(word, AWAKE);
	}
}

#endif
