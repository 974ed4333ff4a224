/* What is checked of a message, see ../doc.go. */
#ifndef VERIFY_H
#define VERIFY_H

#include "../../cli/ref/cli.h"
#include "../../message/ref/message.h"

static size_t size = 64; /* of a message in bytes */

static inline void check(const unsigned char *m, size_t length, uint64_t seq)
{
	if (!stamped(m, length, seq))
		die("message %llu: wrong sequence number", (unsigned long long)seq);
}

static inline uint32_t crc32c(const unsigned char *p, size_t n)
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
