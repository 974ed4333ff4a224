/* What a run of producer_consumer comes to. */
#ifndef VERDICT_H
#define VERDICT_H

#include "buffer.h"

static int fail(const char *what, int error)
{
	fprintf(stderr, "producer_consumer: %s: %s\n", what, strerror(error));
	return 1;
}

/* The verdict: 0 or 1. */
static int report(struct buffer *b)
{
	int64_t missing = b->items;

	for (int64_t i = 0; i <= b->items / 64; i++)
		missing -= __builtin_popcountll(seen_bits(b)[i]);
	printf("\nStatistics:\n  Total produced: %lld\n  Total consumed: %lld\n"
	       "  Buffer empty waits: %lld\n  Buffer full waits: %lld\n\n",
	       (long long)b->produced, (long long)b->consumed,
	       (long long)b->waits[NOT_EMPTY], (long long)b->waits[NOT_FULL]);
	if (b->stop == GOES_ON && b->produced == b->items && b->consumed == b->items &&
	    missing + b->twice + b->strange + b->disorder == 0) {
		puts("PASS: All items produced and consumed correctly");
		return 0;
	}
	if (b->stop == DEADLOCK)
		printf("FAIL: deadlock, all %d threads wait with %d items in the buffer\n", b->stuck, b->filled);
	if (b->stop == DIED)
		puts("FAIL: a producer or consumer died");
	if (b->stop == NO_OUTPUT)
		return fail("standard output", EPIPE);
	if (b->twice + b->strange + b->disorder > 0 || (b->stop == GOES_ON && missing > 0))
		printf("FAIL: %lld items never consumed, %lld twice, %lld out of order, %lld that nobody produced\n",
		       (long long)missing, (long long)b->twice, (long long)b->disorder, (long long)b->strange);
	fputs("producer_consumer: not all items were produced and consumed correctly\n", stderr);
	return 1;
}

#endif
