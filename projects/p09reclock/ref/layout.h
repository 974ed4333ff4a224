/*
 * layout.h - the store's file: a header, a table of chains, and records, each with its
 * checksums. All numbers are little-endian, as the machine must be.
 */
#ifndef LAYOUT_H
#define LAYOUT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../internal/crc32c/ref/crc32c.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the layout is little-endian"
#endif

enum {
	MAX_LENGTH = 1 << 20, BUCKET_BITS = 12, BUCKETS = 1 << BUCKET_BITS, HEADER_SIZE = 4096,
	RECORD_HEADER = 32, LINK_AT = 24, ALIGN = 32, SECTOR = 512
};

#define MAGIC "unpkvs01"
#define TOMBSTONE 0x80000000u
#define POS_MASK ((UINT64_C(1) << 48) - 1)

struct header {
	char magic[8];
	uint64_t seed, salt; /* of the hash; of the checks */
	uint32_t bits, zero; /* 1 << bits chains */
	uint64_t base, size; /* where the records of a new file end, and how long it is */
	uint8_t unused[8];
	uint32_t sum; /* of what is before */
};

struct record {
	uint32_t head_sum; /* of salt, position, and the fields up to next */
	uint32_t sum; /* of key and value */
	uint32_t klen, vlen; /* the highest bit of klen: the key was deleted */
	uint64_t hash;
	uint64_t next; /* a link */
	uint8_t key[]; /* and value */
};

/* Where a failure is no reason to end, it jumps here. */
static jmp_buf *soft;

/* A file that is to go then. */
static char half_written[4096 + 8];

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *format, ...)
{
	va_list args;

	if (*half_written)
		unlink(half_written);
	*half_written = '\0';
	if (soft)
		longjmp(*soft, 1);
	fputs("kvstore: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static void *allocate(size_t n)
{
	void *p = calloc(1, n ? n : 1);

	if (!p)
		die("out of memory");
	return p;
}

static uint64_t start_of(const struct header *h)
{
	return HEADER_SIZE + (UINT64_C(8) << h->bits);
}

/* FNV-1a, mixed at the end: the upper bits choose the bucket and the chain. */
static uint64_t hash_of(const struct header *h, const uint8_t *key, size_t n)
{
	uint64_t x = UINT64_C(0xcbf29ce484222325) ^ h->seed;

	while (n--)
		x = (x ^ *key++) * UINT64_C(0x100000001b3);
	x = (x ^ x >> 33) * UINT64_C(0xff51afd7ed558ccd);
	return x ^ x >> 32;
}

static unsigned bucket_of(uint64_t hash)
{
	return (unsigned)(hash >> (64 - BUCKET_BITS));
}

static uint64_t slot_at(const struct header *h, uint64_t hash)
{
	return HEADER_SIZE + (hash >> (64 - h->bits)) * 8;
}

/* The word that stands at a place and leads to pos; 16 bits of it are a check. */
static uint64_t link_to(const struct header *h, uint64_t at, uint64_t pos)
{
	uint64_t x = (h->salt ^ at) * UINT64_C(0x9e3779b97f4a7c15);

	x = ((x << 31 | x >> 33) ^ pos) * UINT64_C(0xff51afd7ed558ccd);
	return (x & ~POS_MASK) | pos;
}

static uint64_t record_size(uint64_t klen, uint64_t vlen)
{
	return (RECORD_HEADER + klen + vlen + ALIGN - 1) & ~(uint64_t)(ALIGN - 1);
}

static uint32_t klen_of(const struct record *r)
{
	return r->klen & ~TOMBSTONE;
}

static uint64_t size_of(const struct record *r)
{
	return record_size(klen_of(r), r->vlen);
}

static uint32_t head_sum(const struct header *h, uint64_t pos, const struct record *r)
{
	uint32_t sum = crc32c(&h->salt, 8);

	return crc32c_more(crc32c_more(sum, &pos, 8), &r->sum, LINK_AT - 4);
}

static bool head_ok(const struct header *h, uint64_t pos, const struct record *r)
{
	return r->head_sum == head_sum(h, pos, r) && klen_of(r) <= MAX_LENGTH && r->vlen <= MAX_LENGTH;
}

static bool same_key(const struct record *r, const uint8_t *key, size_t n)
{
	return klen_of(r) == n && !memcmp(r->key, key, n);
}

static bool is_zero(const uint8_t *p, uint64_t n)
{
	return n == 0 || (p[0] == 0 && !memcmp(p, p + 1, n - 1));
}

/* A record whose writing was cut short: a sector of it is still zero. */
static bool unfinished(const uint8_t *p, uint64_t pos, uint64_t n)
{
	while (n) {
		uint64_t piece = SECTOR - pos % SECTOR < n ? SECTOR - pos % SECTOR : n;

		if (is_zero(p, piece))
			return true;
		p += piece;
		pos += piece;
		n -= piece;
	}
	return false;
}

#endif
