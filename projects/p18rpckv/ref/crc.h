/* CRC-32C, Castagnoli's: what guards records on the disk and in shared memory. */
#ifndef CRC_H
#define CRC_H

#include <stddef.h>
#include <stdint.h>

/* The sum of what came before, 0 for nothing, and of these bytes. */
static inline uint32_t crc32c(uint32_t sum, const void *bytes, size_t size)
{
	static _Thread_local uint32_t table[256];
	const uint8_t *b = bytes;

	if (!table[1]) {
		for (uint32_t i = 0; i < 256; i++) {
			uint32_t remainder = i;

			for (int bit = 0; bit < 8; bit++)
				remainder = remainder >> 1 ^ (remainder & 1 ? 0x82f63b78 : 0);
			table[i] = remainder;
		}
	}
	sum = ~sum;
	for (size_t i = 0; i < size; i++)
		sum = sum >> 8 ^ table[(sum ^ b[i]) & 0xff];
	return ~sum;
}

#endif
