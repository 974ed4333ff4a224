/*
 * A histogram in HdrHistogram's layout: every value up to 2048, then 1024 steps in every
 * power of two, so a value is kept to one part in a thousand. 2^42 ns are 73 minutes.
 */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdint.h>
#include <stdio.h>

#define HISTOGRAM_SIZE (33 * 1024)

static inline void histogram_add(uint32_t *histogram, uint64_t ns)
{
	int power = 53 - __builtin_clzll(ns | 2047);
	uint64_t i = power * 1024 + (ns >> power);

	if (i < HISTOGRAM_SIZE)
		histogram[i]++;
}

/* The least value that is counted at i. */
static inline uint64_t histogram_value(uint64_t i)
{
	uint64_t power = i < 2048 ? 0 : i / 1024 - 1;

	return (i - power * 1024) << power;
}

static inline void histogram_times(const uint32_t *histogram, double *mean, double *p99)
{
	uint64_t total = 0, so_far = 0;
	double sum = 0;

	*p99 = 0;
	for (uint64_t i = 0; i < HISTOGRAM_SIZE; i++) {
		total += histogram[i];
		sum += (double)histogram[i] * histogram_value(i);
	}
	for (uint64_t i = 0; so_far * 100 < total * 99; i++) {
		so_far += histogram[i];
		*p99 = histogram_value(i);
	}
	*mean = total ? sum / total : 0;
}

/* Prints [value, how often] pairs in JSON. */
static inline void histogram_print(const uint32_t *histogram)
{
	const char *comma = "";

	for (uint64_t i = 0; i < HISTOGRAM_SIZE; i++) {
		if (histogram[i] == 0)
			continue;
		printf("%s[%llu,%u]", comma, (unsigned long long)histogram_value(i), histogram[i]);
		comma = ",";
	}
}

#endif
