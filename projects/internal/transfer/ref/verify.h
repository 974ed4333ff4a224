/* What is checked of a message, see ../doc.go. */
#ifndef VERIFY_H
#define VERIFY_H

#include "../../cli/ref/cli.h"
#include "../../crc32c/ref/crc32c.h"
#include "../../message/ref/message.h"

static size_t size = 64; /* of a message in bytes */

static inline void check(const unsigned char *m, size_t length, uint64_t seq)
{
	if (!stamped(m, length, seq))
		die("message %llu: wrong sequence number", (unsigned long long)seq);
}

#endif
