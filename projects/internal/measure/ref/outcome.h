/* What a program prints that measures by itself: Outcome of program.go reads it. */
#ifndef OUTCOME_H
#define OUTCOME_H

#include "histogram.h"

/* count operations were right and took so many ns together; histogram, of the time of each,
 * may be NULL. */
static inline void print_outcome(uint64_t count, uint64_t ns, const uint32_t *histogram)
{
	printf("{\"count\":%llu,\"ns\":%llu", (unsigned long long)count, (unsigned long long)ns);
	if (histogram) {
		printf(",\"histogram\":[");
		histogram_print(histogram);
		putchar(']');
	}
	puts("}");
}

#endif
