/*
 * bench.h - how fast it is here, on a database of its own. Whatever is read is compared
 * with what was written.
 */
#ifndef BENCH_H
#define BENCH_H

#include <time.h>
#include "bulk.h"
#include "create.h"

enum { BENCH_KEY = 16, BENCH_VALUE = 100, BENCH_BATCH = 1000 };

static struct {
	uint64_t n, random;
	char key[BENCH_KEY + 1];
	uint8_t value[BENCH_VALUE];
} bm;

/* Makes the i-th record: its number in 16 digits, and bytes that follow from it. */
static void bench_record(uint64_t i)
{
	uint64_t x = i;

	snprintf(bm.key, sizeof(bm.key), "%016llu", (unsigned long long)i);
	for (size_t at = 0; at + 8 <= BENCH_VALUE; at += 8) {
		x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		memcpy(bm.value + at, &x, 8);
	}
}

static uint64_t bench_random(uint64_t below)
{
	bm.random = bm.random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (bm.random >> 32) * below >> 32;
}

static double now_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void bench_put(uint64_t i)
{
	bench_record(i);
	put((uint8_t *)bm.key, BENCH_KEY, bm.value, BENCH_VALUE);
}

static uint64_t bench_fill(void)
{
	uint32_t *order = resize(NULL, bm.n * sizeof(*order));

	for (uint32_t i = 0; i < bm.n; i++) {
		uint64_t other = bench_random(i + UINT64_C(1));

		order[i] = order[other];
		order[other] = i;
	}
	for (uint64_t i = 0; i < bm.n;) {
		begin_write();
		for (unsigned k = 0; k < BENCH_BATCH && i < bm.n; k++)
			bench_put(order[i++]);
		commit();
		end_write();
	}
	free(order);
	return bm.n;
}

static void bench_compare(struct item item)
{
	struct value value = value_of(item);

	if (compare(item.key, item.key_size, (uint8_t *)bm.key, BENCH_KEY) || value.size != BENCH_VALUE ||
	    memcmp(value.of, bm.value, BENCH_VALUE))
		die("%s: another record was inserted", bm.key);
}

static uint64_t bench_gets(void)
{
	struct cursor c;

	begin_read();
	for (uint64_t i = 0; i < bm.n; i++) {
		bench_record(bench_random(bm.n));
		if (!descend(&c, (uint8_t *)bm.key, BENCH_KEY))
			die("%s: no such key", bm.key);
		bench_compare(cursor_item(&c));
	}
	end_read();
	return bm.n;
}

static uint64_t bench_scan(void)
{
	struct cursor c;
	uint64_t n = 0;

	begin_read();
	for (bool there = rewind_to(&c, false); there; there = step(&c, false)) {
		bench_record(n++);
		bench_compare(cursor_item(&c));
	}
	end_read();
	if (n != bm.n)
		die("a scan has %llu records", (unsigned long long)n);
	return n;
}

/* For two seconds at most. */
static uint64_t bench_single(void)
{
	double end = now_seconds() + 2;
	uint64_t n = 0;

	do {
		begin_write();
		bench_put(bench_random(bm.n));
		commit();
		end_write();
	} while (++n < bm.n && now_seconds() < end);
	return n;
}

/* A number with a comma before each three digits. */
static const char *commas(uint64_t n)
{
	static char text[2][32];
	static unsigned turn;
	char digits[24], *to = text[++turn % 2];
	int length = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);

	for (int i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			*to++ = ',';
		*to++ = digits[i];
	}
	*to = '\0';
	return text[turn % 2];
}

static void bench(const char *dir, uint64_t records)
{
	static const struct {
		const char *name;
		uint64_t (*run)(void);
	} parts[] = {
		{ "fill, random order, 1000 a transaction:", bench_fill }, { "get, random:", bench_gets },
		{ "scan:", bench_scan }, { "insert, one a transaction:", bench_single },
	};
	char path[PATH_MAX];

	bm.n = records;
	snprintf(path, sizeof(path), "%s/unpipc-%d-mmapdb-bench", dir, (int)getpid());
	create(path, 1);
	open_database(path);
	unlink(db.lock_path); /* nobody else is to open it, and nothing is to be left */
	unlink(path);
	printf("%s records: key %d bytes, value %d bytes\n", commas(records), BENCH_KEY, BENCH_VALUE);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		double from = now_seconds();
		uint64_t n = parts[i].run();

		printf("%-40s %14s/s\n", parts[i].name, commas((uint64_t)((double)n / (now_seconds() - from))));
		fflush(stdout);
	}
	begin_read();
	check_state();
	printf("verified: %s records in %s pages\n", commas(ck.records), commas(ck.used + FIRST_PAGE));
}

#endif
