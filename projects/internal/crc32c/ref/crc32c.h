/* CRC-32C, as hash/crc32 has it for Go with the polynomial Castagnoli. */
#ifndef CRC32C_H
#define CRC32C_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Continues from the sum of what came before; eight bytes at a time. */
static inline uint32_t crc32c_more(uint32_t sum, const void *from, size_t n)
{
	static uint32_t table[8][256];
	const uint8_t *p = from;

	if (!table[7][1]) {
		for (uint32_t i = 0; i < 256; i++) {
			table[0][i] = i;
			for (int k = 0; k < 8; k++)
				table[0][i] = table[0][i] >> 1 ^ (table[0][i] & 1 ? 0x82f63b78 : 0);
		}
		for (int k = 1; k < 8; k++)
			for (int i = 0; i < 256; i++)
				table[k][i] = table[k - 1][i] >> 8 ^ table[0][table[k - 1][i] & 255];
	}
	for (sum = ~sum; n >= 8; n -= 8, p += 8) {
		uint32_t a, b;

		memcpy(&a, p, 4);
		memcpy(&b, p + 4, 4);
		a = le32toh(a) ^ sum;
		b = le32toh(b);
		sum = table[7][a & 255] ^ table[6][a >> 8 & 255] ^ table[5][a >> 16 & 255] ^ table[4][a >> 24] ^
		      table[3][b & 255] ^ table[2][b >> 8 & 255] ^ table[1][b >> 16 & 255] ^ table[0][b >> 24];
	}
	for (; n; n--)
		sum = table[0][(sum ^ *p++) & 255] ^ sum >> 8;
	return ~sum;
}

static inline uint32_t crc32c(const void *from, size_t n)
{
	return crc32c_more(0, from, n);
}

#endif
