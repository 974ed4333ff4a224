/* What both ends of a measurement share: the clock, errors, and round trips. */
#ifndef MEASURED_H
#define MEASURED_H

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

__attribute__((format(printf, 1, 2), noreturn)) static void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "%s: ", program_invocation_short_name);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * UINT64_C(1000000000) + t.tv_nsec;
}

/*
 * A histogram in HdrHistogram's layout: 1024 steps in every power of two, so a
 * value is kept to one part in a thousand. 2^42 ns are 73 minutes.
 */
#define HISTOGRAM_POWERS 33

static uint32_t histogram[HISTOGRAM_POWERS * 1024];

static void histogram_add(uint64_t ns)
{
	int power = 53 - __builtin_clzll(ns | 2047);

	if (power < HISTOGRAM_POWERS - 1)
		histogram[power * 1024 + (ns >> power)]++;
}

/* Prints [value, how often] pairs in JSON. */
static void histogram_print(void)
{
	const char *comma = "";

	for (uint64_t i = 0; i < HISTOGRAM_POWERS * 1024; i++) {
		uint64_t power = i < 2048 ? 0 : i / 1024 - 1;

		if (histogram[i] == 0)
			continue;
		printf("%s[%llu,%u]", comma, (unsigned long long)((i - power * 1024) << power),
			histogram[i]);
		comma = ",";
	}
}

#endif
