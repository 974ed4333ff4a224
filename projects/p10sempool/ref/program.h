/* Numbers on command lines, and times. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include "../../internal/cli/ref/cli.h"
#include "../../internal/measure/ref/clock.h"

#define SECOND 1000000000ull

static inline long number(const char *flag, const char *text, long min, long max)
{
	char *end;
	errno = 0;
	long n = strtol(text, &end, 10);
	if (end == text || *end || errno || n < min || n > max)
		bad_usage("%s must be from %ld to %ld, not \"%s\"", flag, min, max, text);
	return n;
}

static inline struct timespec at(uint64_t ns)
{
	return (struct timespec){ns / SECOND, ns % SECOND};
}

static inline double seconds(uint64_t ns)
{
	return ns / 1e9;
}

#endif
