/* How the programs complain, numbers on command lines, and the clock. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SECOND 1000000000ull

extern const char program[];

static inline _Noreturn __attribute__((format(printf, 1, 2))) void die(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fflush(stdout);
	fprintf(stderr, "%s: ", program);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

static inline _Noreturn __attribute__((format(printf, 1, 2))) void bad_usage(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	if (*format) {
		fprintf(stderr, "%s: ", program);
		vfprintf(stderr, format, args);
		fputc('\n', stderr);
	}
	fprintf(stderr, "Try '%s --help'.\n", program);
	va_end(args);
	exit(2);
}

static inline long number(const char *flag, const char *text, long min, long max)
{
	char *end;
	errno = 0;
	long n = strtol(text, &end, 10);
	if (end == text || *end || errno || n < min || n > max)
		bad_usage("%s must be from %ld to %ld, not \"%s\"", flag, min, max, text);
	return n;
}

static inline uint64_t now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * SECOND + ts.tv_nsec;
}

static inline struct timespec at(uint64_t ns)
{
	return (struct timespec){ns / SECOND, ns % SECOND};
}

static inline double seconds(uint64_t ns)
{
	return ns / 1e9;
}

#endif
