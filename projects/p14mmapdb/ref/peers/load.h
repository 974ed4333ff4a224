/*
 * load.h - the load that every store is measured with, as mmapdb_load has it in Go. Keys are
 * 16 digits, values 100 bytes: their number, how often they were put, and a filling.
 */
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { KEY = 16, VALUE_SIZE = 100, FILL_BATCH = 1000, SETUP_BATCH = 20000, GETS_AT_ONCE = 100 };

struct bytes {
	const void *of; /* NULL: there is none */
	size_t n;
};

static void store_open(const char *path, bool sync);
static void store_begin(bool write);
static void store_put(const void *key, const void *value);
static struct bytes store_get(const void *key);
static bool store_next(bool first, struct bytes *key, struct bytes *value);
static void store_end(bool write); /* commits */
static void store_close(void);

static struct {
	uint64_t records, number;
	uint64_t *last; /* how often a record was put */
	char key[KEY];
	uint8_t value[VALUE_SIZE];
} ld;

static void __attribute__((noreturn)) wrong(const char *what, const char *why)
{
	fprintf(stderr, "load: %s: %s\n", what, why);
	exit(1);
}

static uint64_t draw(void)
{
	ld.number = ld.number * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (ld.number >> 33) % ld.records;
}

static void make(uint64_t i, uint64_t times)
{
	memcpy(ld.value, &i, 8);
	memcpy(ld.value + 8, &times, 8);
	for (int at = KEY - 1; at >= 0; at--, i /= 10)
		ld.key[at] = (char)('0' + i % 10);
}

/* As make, for the number after the last one. */
static void make_next(uint64_t i, uint64_t times)
{
	int at = KEY - 1;

	memcpy(ld.value, &i, 8);
	memcpy(ld.value + 8, &times, 8);
	for (; ld.key[at] == '9'; at--)
		ld.key[at] = '0';
	ld.key[at]++;
}

static void compare_value(struct bytes b, bool times)
{
	if (!b.of || b.n != VALUE_SIZE || memcmp(b.of, ld.value, 8) ||
	    (times && memcmp((const uint8_t *)b.of + 8, ld.value + 8, 8)) ||
	    memcmp((const uint8_t *)b.of + 16, ld.value + 16, VALUE_SIZE - 16))
		wrong("a value", "it is not what was put");
}

/* Puts all numbers below count, in an order that jumps. */
static void load_fill(uint64_t count, uint64_t batch)
{
	uint64_t step = count / 8 * 5 + 1, i = 0;

	while (count > 1) {
		uint64_t a = step, b = count;

		while (b) {
			uint64_t rest = a % b;

			a = b;
			b = rest;
		}
		if (a == 1)
			break;
		step++;
	}
	for (uint64_t done = 0; done < count;) {
		store_begin(true);
		for (uint64_t k = 0; k < batch && done < count; k++, done++) {
			make(i, 0);
			store_put(ld.key, ld.value);
			i = (i + step) % count;
		}
		store_end(true);
	}
}

static void puts_singly(uint64_t count)
{
	for (uint64_t n = 0; n < count; n++) {
		uint64_t i = draw();

		make(i, ++ld.last[i]);
		store_begin(true);
		store_put(ld.key, ld.value);
		store_end(true);
		if (!n && count > UINT32_MAX) {
			puts("writing");
			fflush(stdout);
		}
	}
}

static void gets_of(uint64_t count, bool beside)
{
	for (uint64_t n = 0; n < count;) {
		store_begin(false);
		for (uint64_t k = 0; n < count && (!beside || k < GETS_AT_ONCE); k++, n++) {
			make(draw(), 0);
			compare_value(store_get(ld.key), false);
		}
		store_end(false);
	}
}

/* Goes through all records, again and again. */
static void load_scan(uint64_t count, uint64_t records, bool times)
{
	struct bytes key, value;

	for (uint64_t n = 0, i; n < count;) {
		store_begin(false);
		for (i = 0; n < count && store_next(!i, &key, &value); i++, n++) {
			if (i)
				make_next(i, times ? ld.last[i] : 0);
			else
				make(0, times ? ld.last[0] : 0);
			if (key.n != KEY || memcmp(key.of, ld.key, KEY))
				wrong("a key", "it is not the next one");
			compare_value(value, true);
		}
		store_end(false);
		if (n < count && i != records)
			wrong("a scan", "it has another number of records");
	}
}

/* usage: PROGRAM FILE sync|no-sync setup|fill|puts|gets|beside|scan RECORDS COUNT */
int main(int argc, char **argv)
{
	struct timespec begin, end;
	const char *what;
	uint64_t count;

	if (argc != 6)
		wrong(argv[0], "usage: FILE sync|no-sync setup|fill|puts|gets|beside|scan RECORDS COUNT");
	what = argv[3];
	ld.records = strtoull(argv[4], NULL, 10);
	count = strtoull(argv[5], NULL, 10);
	ld.number = 12345;
	ld.last = calloc(ld.records + 1, sizeof(*ld.last));
	memset(ld.value, 'v', VALUE_SIZE);
	store_open(argv[1], !strcmp(argv[2], "sync"));
	if (!strcmp(what, "gets") || !strcmp(what, "scan")) /* so that what is measured is no page fault */
		load_scan(ld.records, ld.records, false);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	if (!strcmp(what, "setup"))
		load_fill(count, SETUP_BATCH);
	else if (!strcmp(what, "fill"))
		load_fill(count, FILL_BATCH);
	else if (!strcmp(what, "puts"))
		puts_singly(count);
	else if (!strcmp(what, "gets") || !strcmp(what, "beside"))
		gets_of(count, *what == 'b');
	else if (!strcmp(what, "scan"))
		load_scan(count, ld.records, false);
	else
		wrong(what, "no such load");
	clock_gettime(CLOCK_MONOTONIC, &end);
	if (!strcmp(what, "fill"))
		load_scan(count + 1, count, false); /* one more, so that the end is seen */
	if (!strcmp(what, "puts"))
		load_scan(ld.records, ld.records, true);
	store_close();
	printf("%lld ns for %llu\n", (long long)(end.tv_sec - begin.tv_sec) * 1000000000 + end.tv_nsec - begin.tv_nsec,
	       (unsigned long long)count);
	return 0;
}

#endif
