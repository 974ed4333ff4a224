/*
 * load.h - the load that every store is measured with, see Store.Measure of the Go package.
 */
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void set(const void *key, size_t klen, const void *value, size_t vlen);
/* Compares the value with what it must be, but for its second 8 bytes. */
static bool get(const void *key, size_t klen, const void *value, size_t vlen);
/* sync: on the disk at the end of each set; no-sync: safe from a kill; unsafe: the fastest. */
static void open_store(const char *path, const char *how);
static void close_store(void);

static bool same(const void *got, size_t n, const void *want, size_t length)
{
	return n == length && !memcmp(got, want, 8) && !memcmp((const uint8_t *)got + 16, (const uint8_t *)want + 16, n - 16);
}

static void __attribute__((noreturn)) fail(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	exit(1);
}

/* usage: PROGRAM FILE sync|no-sync|unsafe fill|sets|gets KEYS COUNT */
static int load(int argc, char **argv)
{
	uint8_t key[16] = "........-key-key", value[100];
	uint64_t number = 12345, keys;
	long long count, elapsed;
	struct timespec begin, end;

	if (argc != 6)
		fail(argv[0], "usage: FILE sync|no-sync|unsafe fill|sets|gets KEYS COUNT");
	keys = strtoull(argv[4], NULL, 10);
	count = strtoll(argv[5], NULL, 10);
	open_store(argv[1], argv[2]);
	memset(value, 'v', sizeof(value));
	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (long long i = 0; i < count; i++) {
		uint64_t n;

		number = number * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		n = strcmp(argv[3], "fill") ? (number >> 33) % keys : (uint64_t)i;
		memcpy(key, &n, 8);
		memcpy(value, &n, 8);
		if (strcmp(argv[3], "gets")) {
			n = (uint64_t)(begin.tv_sec * 1000000000 + begin.tv_nsec + i);
			memcpy(value + 8, &n, 8); /* tdb writes nothing where a value stays as it is */
			set(key, 16, value, 100);
		} else if (!get(key, 16, value, 100)) {
			fail(argv[1], "a key has another value");
		}
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	elapsed = (long long)(end.tv_sec - begin.tv_sec) * 1000000000 + end.tv_nsec - begin.tv_nsec;
	close_store();
	printf("%lld ns for %lld\n", elapsed, count);
	return 0;
}

#endif
