/* Messages with a number at both ends, or with a checksum of everything. */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <endian.h>
#include <stdbool.h>

#include "../../internal/cli/ref/cli.h"

#define LEAST_MESSAGE 16

enum style { COPY, IN_PLACE, CHECK };

static inline void put64(unsigned char *p, uint64_t v)
{
	v = htole64(v);
	memcpy(p, &v, 8);
}

static inline uint64_t get64(const unsigned char *p)
{
	uint64_t v;

	memcpy(&v, p, 8);
	return le64toh(v);
}

static inline uint64_t size_of(uint64_t number, uint64_t most, bool vary)
{
	if (!vary)
		return most;
	return LEAST_MESSAGE + (number * 2654435761 & 0xffffffff) % (most - LEAST_MESSAGE + 1);
}

static inline void stamp(unsigned char *m, uint64_t size, uint64_t number)
{
	put64(m, number);
	put64(m + size - 8, number);
}

static inline void compare(const unsigned char *m, uint64_t size, uint64_t number)
{
	if (size < LEAST_MESSAGE)
		die("message %llu: only %llu bytes", (unsigned long long)number, (unsigned long long)size);
	if (get64(m) != number || get64(m + size - 8) != number)
		die("message %llu: has the numbers %llu and %llu", (unsigned long long)number,
			(unsigned long long)get64(m), (unsigned long long)get64(m + size - 8));
}

/* FNV-1a of 64 bits. */
static inline uint64_t checksum(const unsigned char *p, uint64_t size)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (uint64_t i = 0; i < size; i++)
		h = (h ^ p[i]) * UINT64_C(1099511628211);
	return h;
}

static inline void fill(unsigned char *m, uint64_t size, uint64_t number)
{
	for (uint64_t i = 0; i < size; i++)
		m[i] = number * 131 + i;
	put64(m, number);
	put64(m + size - 8, checksum(m, size - 8));
}

static inline void verify(const unsigned char *m, uint64_t size, uint64_t number)
{
	if (size < LEAST_MESSAGE)
		die("message %llu: only %llu bytes", (unsigned long long)number, (unsigned long long)size);
	if (get64(m) != number)
		die("message %llu instead of %llu", (unsigned long long)get64(m), (unsigned long long)number);
	if (checksum(m, size - 8) != get64(m + size - 8))
		die("message %llu: checksum %016llx, the producer's is %016llx", (unsigned long long)number,
			(unsigned long long)checksum(m, size - 8), (unsigned long long)get64(m + size - 8));
}

#endif
