/* The messages of a measurement, as package message has them. */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

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

static inline bool stamped(const unsigned char *m, size_t length, uint64_t seq)
{
	uint64_t le = htole64(seq);

	if (length < 16)
		return m[0] == (unsigned char)seq && m[length - 1] == (unsigned char)seq;
	return memcmp(m, &le, 8) == 0 && memcmp(m + length - 8, &le, 8) == 0;
}

/* Bytes that no other message of the same length has. */
static inline void fill(unsigned char *m, size_t length, uint64_t seq)
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

#endif
