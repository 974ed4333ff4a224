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

__attribute__((format(printf, 1, 2), noreturn)) static void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "%s: ", program_invocation_short_name);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	exit(1);
}

static inline uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * UINT64_C(1000000000) + t.tv_nsec;
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

#define MOST UINT64_C(1000000000000000)

/* 1000, 10K, 100M, 1G, in thousands; 0 if it is no such number. */
static inline uint64_t parse_count(const char *text)
{
	uint64_t n = 0, scale = 1;
	const char *p = text;

	for (; isdigit((unsigned char)*p) && n <= MOST; p++)
		n = n * 10 + (*p - '0');
	switch (toupper((unsigned char)*p)) {
	case 'G':
		scale *= 1000; /* fall through */
	case 'M':
		scale *= 1000; /* fall through */
	case 'K':
		scale *= 1000;
		p++;
	}
	return p == text || *p || n > MOST / scale ? 0 : n * scale;
}

static inline uint64_t parse_capacity(const char *text)
{
	uint64_t n = parse_count(text);

	if (n < 1 || n > 1 << 28 || (n & (n - 1)))
		bad_usage("--capacity: %s is no power of two from 1 to %d", text, 1 << 28);
	return n;
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
static int finish(void)
{
	if (fflush(stdout) || ferror(stdout))
		die("standard output: %s", strerror(errno));
	return 0;
}

#endif
