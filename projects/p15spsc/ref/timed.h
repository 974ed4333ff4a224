/* The time of each write, as ../timed.go measures it. */
#ifndef TIMED_H
#define TIMED_H

#include "../../internal/measure/ref/clock.h"
#include "../../internal/measure/ref/histogram.h"
#include "traffic.h"

static uint32_t histogram[HISTOGRAM_SIZE];

static inline uint64_t ticks(void)
{
#if defined(__x86_64__)
	__asm__ volatile("lfence" ::: "memory");
	return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
	uint64_t t;

	__asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(t)::"memory");
	return t;
#else
	return now_ns();
#endif
}

static double tick_rate; /* ticks in a nanosecond */
static uint64_t tick_cost;

/* Both clocks, as nearly at the same time as in some tries. */
static uint64_t both_clocks(uint64_t *tick)
{
	uint64_t least = UINT64_MAX, when = 0;

	for (int i = 0; i < 20; i++) {
		uint64_t before = now_ns(), now = ticks(), gap = now_ns() - before;

		if (gap < least) {
			least = gap;
			when = before;
			*tick = now;
		}
	}
	return when;
}

static double ticks_per_ns(void)
{
	uint64_t first = 0, last = 0, start = both_clocks(&first), end;

	while (now_ns() - start < 20 * 1000 * 1000)
		;
	end = both_clocks(&last);
	return (double)(last - first) / (end - start);
}

static uint64_t ticks_cost(void)
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < 10000; i++) {
		uint64_t start = ticks(), took = ticks() - start;

		least = took < least ? took : least;
	}
	return least;
}

/* To be called before the consumer's clock runs. */
static void prepare_times(void)
{
	tick_rate = ticks_per_ns();
	tick_cost = ticks_cost();
}

static bool push_one(struct end *e, uint64_t v)
{
	switch (e->kind) {
	case NAIVE:
	case PADDED:
		return simple_push(e, v);
	case MUTEX:
		return mutex_push(e, v);
	case SEM:
		return sem_push(e, v);
	default:
		return try_push(e, v);
	}
}

/* Writes one item in so many ns; the times of all of them go to the histogram. */
static void produce_timed(struct end *e, uint64_t first, uint64_t last, double every)
{
	uint64_t step = every * tick_rate, next = ticks();

	for (uint64_t n = first; n < last; n++) {
		uint64_t start, end;

		while (atomic_load(&e->h->tail) - atomic_load(e->peer) > e->mask)
			wait_turn(e);
		do
			start = ticks();
		while (start < next);
		next = start + step;
		for (;;) {
			bool ok;

			start = ticks();
			ok = push_one(e, n);
			end = ticks();
			if (ok)
				break;
			wait_turn(e);
		}
		/* Negative when this thread has changed its CPU meanwhile. */
		end = (int64_t)(end - start - tick_cost) > 0 ? end - start - tick_cost : 0;
		histogram_add(histogram, end / tick_rate + 0.5 < 1 ? 1 : end / tick_rate + 0.5);
	}
	if (!is_locked(e->kind) && e->kind >= CACHED)
		publish(e);
}

#endif
