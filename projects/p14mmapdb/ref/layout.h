/*
 * layout.h - the database's file and its lock file; layout.go of the Go package tells
 * what they mean. All numbers are little-endian, as the machine must be.
 */
#ifndef LAYOUT_H
#define LAYOUT_H

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../internal/crc32c/ref/crc32c.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the layout is little-endian");

enum {
	PAGE = 4096, FIRST_PAGE = 3, MAX_KEY = 1024, MAX_VALUE = 64 << 20, MAX_DEPTH = 32,
	INLINE_LIMIT = 2030, FAR_VALUE = 0xffff, MAX_LISTED = 336, MAX_LOGGED = 254, SLOTS = 4096
};

#define HEADER_MAGIC "unpmmdb1"
#define META_MAGIC "unpmmdbm"
#define LOCK_MAGIC "unpmmdbl"

struct header {
	char magic[8];
	uint32_t version, page_size;
	uint8_t zeros[PAGE - 20];
	uint32_t crc; /* of what is before */
};

struct meta {
	uint32_t crc, number;
	uint64_t tx;
	char magic[8];
	uint32_t root, depth;
	uint64_t records;
	uint32_t pages, log, log_len, free, listed, flushed;
	struct listed {
		uint32_t page, run, crc;
	} list[MAX_LISTED];
};

enum kind { LEAF = 1, BRANCH, VALUE, LOG };

/* Any other page. */
struct page {
	uint32_t crc, number;
	uint64_t tx;
	uint8_t kind, zero;
	uint16_t count, skip, bottom;
	union {
		uint8_t body[PAGE - 24]; /* a value goes on in the pages behind */
		uint32_t head[(PAGE - 24) / 4];
		struct {
			uint32_t before, zero;
			struct entry {
				uint64_t tx; /* 0: taken into use again */
				uint32_t page, run;
			} __attribute__((packed, aligned(4))) entry[MAX_LOGGED];
		} log;
	};
};

struct lock_file {
	char magic[8];
	uint32_t version, slots;
	uint64_t newest, durable, failed, used; /* the first two: 2 * transaction + meta page - 1 */
	uint64_t zeros[2];
	struct {
		uint64_t tx, pid, zeros[6];
	} slot[SLOTS];
};

static_assert(sizeof(struct header) == PAGE && sizeof(struct meta) == PAGE, "a page");
static_assert(sizeof(struct page) == PAGE && offsetof(struct page, log.entry) == 32, "a page");
static_assert(sizeof(struct lock_file) == 262208, "a lock file");

/* A file that is to go when this process does not get to its end. */
static char half_written[PAGE];

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	if (*half_written)
		unlink(half_written);
	fputs("mmapdb: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static void *resize(void *p, size_t n)
{
	p = realloc(p, n ? n : 1);
	if (!p)
		die("out of memory");
	return p;
}

/* Key order: as memcmp has it, and a key that begins another one is less. */
static int compare(const uint8_t *a, size_t n, const uint8_t *b, size_t m)
{
	int c = memcmp(a, b, n < m ? n : m);

	return c ? c : n < m ? -1 : n > m;
}

static size_t common_prefix(const uint8_t *a, size_t n, const uint8_t *b, size_t m)
{
	size_t i = 0;

	while (i < n && i < m && a[i] == b[i])
		i++;
	return i;
}

/* Four bytes of a key, behind its first skip ones, the first of them most significant. */
static uint32_t head_of(const uint8_t *key, size_t n, size_t skip)
{
	uint32_t head = 0;

	for (size_t i = skip; i < skip + 4; i++)
		head = head << 8 | (i < n ? key[i] : 0);
	return head;
}

/* Pages of a value. */
static uint32_t run_of(uint64_t length)
{
	return (uint32_t)((24 + length + PAGE - 1) / PAGE);
}

static bool meta_ok(const struct meta *m, uint32_t number)
{
	if (memcmp(m->magic, META_MAGIC, 8) || m->crc != crc32c((const uint8_t *)m + 4, PAGE - 4))
		return false;
	if (m->number != number || m->tx < 2 || m->tx >> 62 || m->pages < FIRST_PAGE || m->listed > MAX_LISTED ||
	    m->depth > MAX_DEPTH || !m->root != !m->depth || (m->root && (m->root < FIRST_PAGE || m->root >= m->pages)) ||
	    (m->log && (m->log < FIRST_PAGE || m->log >= m->pages)))
		return false;
	for (uint32_t i = 0; i < m->listed; i++) {
		const struct listed *l = &m->list[i];

		if (l->page < FIRST_PAGE || l->page >= m->pages || !l->run || l->run > m->pages - l->page)
			return false;
	}
	return true;
}

#endif
