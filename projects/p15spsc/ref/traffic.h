/* Items with consecutive numbers through a queue, each compared at the other end. */
#ifndef TRAFFIC_H
#define TRAFFIC_H

#include <sched.h>

#include "others.h"

#define SLICE 64
#define SPINS 16

/* Ends the process when it is not worth waiting any longer. */
static void check_peer(void);

static void wait_turn(struct end *e)
{
	if (++e->tries % SPINS) {
		for (uint32_t i = 0; i < e->pauses; i++)
#if defined(__x86_64__)
			__builtin_ia32_pause();
#elif defined(__aarch64__)
			__asm__ volatile("yield");
#else
			atomic_signal_fence(memory_order_seq_cst);
#endif
		return;
	}
	sched_yield();
	if (e->tries % (1 << 12) == 0)
		check_peer();
}

/* Writes first, first+1, … up to but without last. */
static inline void produce(struct end *e, uint64_t first, uint64_t last)
{
	uint64_t n = first, items[SLICE];

	switch (e->kind) {
	case NAIVE:
	case PADDED:
		for (; n < last; n++)
			while (!simple_push(e, n))
				wait_turn(e);
		return;
	case MUTEX:
	case SEM:
		for (; n < last; n++)
			while (!(e->kind == MUTEX ? mutex_push : sem_push)(e, n))
				check_peer();
		return;
	case BATCHED:
		while (n < last) {
			uint64_t some = last - n < SLICE ? last - n : SLICE, done;

			for (uint64_t i = 0; i < some; i++)
				items[i] = n++;
			for (done = 0; done < some;) {
				uint64_t now = push_slice(e, items + done, some - done);

				done += now;
				if (!now)
					wait_turn(e);
			}
		}
		return;
	default:
		for (; n < last; n++)
			while (!try_push(e, n))
				wait_turn(e);
		publish(e);
	}
}

static void compare(uint64_t got, uint64_t want)
{
	if (got != want)
		die("item %llu instead of %llu", (unsigned long long)got, (unsigned long long)want);
}

/* Reads first, first+1, … up to but without last. */
static inline void consume(struct end *e, uint64_t first, uint64_t last)
{
	uint64_t next = first, v, items[SLICE];

	switch (e->kind) {
	case NAIVE:
	case PADDED:
		while (next < last)
			if (simple_pop(e, &v))
				compare(v, next++);
			else
				wait_turn(e);
		return;
	case MUTEX:
	case SEM:
		while (next < last)
			if ((e->kind == MUTEX ? mutex_pop : sem_pop)(e, &v))
				compare(v, next++);
			else
				check_peer();
		return;
	case BATCHED:
		while (next < last) {
			uint64_t n = pop_slice(e, items, last - next < SLICE ? last - next : SLICE);

			for (uint64_t i = 0; i < n; i++)
				compare(items[i], next++);
			if (!n)
				wait_turn(e);
		}
		return;
	default:
		while (next < last)
			if (try_pop(e, &v))
				compare(v, next++);
			else
				wait_turn(e);
		publish(e);
	}
}

#endif
