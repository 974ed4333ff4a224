/* The messages of a measurement; the layout is described in doc.go. */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "measured.h"

static size_t size = 64; /* of a message in bytes */

/* Both ends of message m of the given length get the sequence number. */
static inline void stamp(unsigned char *m, size_t length, uint64_t seq)
{
	uint64_t le = htole64(seq);

	if (length < 16) {
		m[0] = m[length - 1] = (unsigned char)seq;
		return;
	}
	memcpy(m, &le, 8);
	memcpy(m + length - 8, &le, 8);
}

static inline void check(const unsigned char *m, size_t length, uint64_t seq)
{
	uint64_t le = htole64(seq);
	bool good;

	if (length < 16)
		good = m[0] == (unsigned char)seq && m[length - 1] == (unsigned char)seq;
	else
		good = memcmp(m, &le, 8) == 0 && memcmp(m + length - 8, &le, 8) == 0;
	if (!good)
		die("message %llu: wrong sequence number", (unsigned long long)seq);
}

/* Bytes that no other message of the same length has. */
static void fill(unsigned char *m, size_t length, uint64_t seq)
{
	uint64_t x = seq * UINT64_C(0x9e3779b97f4a7c15) | 1;

	for (size_t i = 0; i < length; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		m[i] = (unsigned char)x;
	}
	stamp(m, length, seq);
}

static uint32_t crc32c(const unsigned char *p, size_t n)
{
	static uint32_t table[256];
	uint32_t crc = 0xffffffff;

	for (uint32_t i = 0; i < 256 && table[255] == 0; i++) {
		uint32_t v = i;

		for (int bit = 0; bit < 8; bit++)
			v = v >> 1 ^ (v & 1 ? 0x82f63b78 : 0);
		table[i] = v;
	}
	while (n-- > 0)
		crc = crc >> 8 ^ table[(crc ^ *p++) & 0xff];
	return ~crc;
}

#endif
