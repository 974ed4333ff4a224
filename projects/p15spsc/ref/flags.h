/* Numbers on command lines. */
#ifndef FLAGS_H
#define FLAGS_H

#include "../../internal/cli/ref/amount.h"
#include "spsc.h"

static inline uint64_t parse_capacity(const char *text)
{
	uint64_t n = parse_count(text);

	if (n < 1 || n > MAX_CAPACITY || (n & (n - 1)))
		bad_usage("--capacity: %s is no power of two from 1 to %d", text, MAX_CAPACITY);
	return n;
}

#endif
