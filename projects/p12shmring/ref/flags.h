/* How the programs complain, the clock, and numbers on command lines. */
#ifndef FLAGS_H
#define FLAGS_H

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LEAST_MESSAGE 16
#define MOST UINT64_C(1000000000000000)

__attribute__((format(printf, 1, 2), noreturn)) static void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "%s: ", program_invocation_short_name);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	exit(1);
}

__attribute__((format(printf, 1, 2), noreturn)) static void bad_usage(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "%s: ", program_invocation_short_name);
	vfprintf(stderr, format, args);
	fprintf(stderr, "\nTry '%s --help'.\n", program_invocation_short_name);
	exit(2);
}

static inline uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * UINT64_C(1000000000) + t.tv_nsec;
}

/* 12, 3K, 4M or 1G with this K; *end is what follows. 0 if it is no such number. */
static inline uint64_t parse_scaled(const char *text, uint64_t kilo, const char **end)
{
	uint64_t n = 0, scale = 1;
	const char *p = text;

	for (; isdigit((unsigned char)*p) && n <= MOST; p++)
		n = n * 10 + (*p - '0');
	*end = p;
	if (p == text)
		return 0;
	switch (toupper((unsigned char)*p)) {
	case 'G':
		scale *= kilo; /* fall through */
	case 'M':
		scale *= kilo; /* fall through */
	case 'K':
		scale *= kilo;
		*end = p + 1;
	}
	return n > MOST / scale ? 0 : n * scale;
}

/* 1000, 10K, 100M: in thousands; 0 if it is no such number. */
static inline uint64_t parse_count(const char *text)
{
	const char *end;
	uint64_t n = parse_scaled(text, 1000, &end);

	return *end ? 0 : n;
}

/* 1000, 64KB, 1MB, 1MiB: a K is 1024; 0 if it is no such size up to 2 GB. */
static inline uint64_t parse_size(const char *text)
{
	const char *end;
	uint64_t n = parse_scaled(text, 1024, &end);

	if (toupper((unsigned char)*end) == 'I')
		end++;
	if (toupper((unsigned char)*end) == 'B')
		end++;
	return *end || n > UINT64_C(1) << 31 ? 0 : n;
}

/* 500ms, 10s, 1m: nanoseconds. */
static inline uint64_t parse_duration(const char *text)
{
	char *end;
	double n = strtod(text, &end);
	double unit = !strcmp(end, "s") ? 1e9 : !strcmp(end, "ms") ? 1e6 : !strcmp(end, "m") ? 60e9 : 0;

	if (end == text || unit == 0 || !(n >= 0 && n < 1e9))
		bad_usage("--wait: %s is no time such as 10s", text);
	return n * unit;
}

/* Output that could not be written is a failure. */
static inline int finish(void)
{
	if (fflush(stdout) || ferror(stdout))
		die("standard output: %s", strerror(errno));
	return 0;
}

#endif
