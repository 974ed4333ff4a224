/* Numbers on command lines, as amount.go of package cli reads them. */
#ifndef AMOUNT_H
#define AMOUNT_H

#include <ctype.h>
#include <stdint.h>

#include "cli.h"

#define MOST_AMOUNT UINT64_C(1000000000000000)

/* 12, 3K, 4M or 1G with this K; *end is what follows. 0 if it is no such number. */
static inline uint64_t parse_scaled(const char *text, uint64_t kilo, const char **end)
{
	uint64_t n = 0, scale = 1;
	const char *p = text;

	for (; isdigit((unsigned char)*p) && n <= MOST_AMOUNT; p++)
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
	return n > MOST_AMOUNT / scale ? 0 : n * scale;
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

/* 500ms, 10s, 1m: nanoseconds; flag is in the complaint. */
static inline uint64_t parse_duration(const char *flag, const char *text)
{
	char *end;
	double n = strtod(text, &end);
	double unit = !strcmp(end, "s") ? 1e9 : !strcmp(end, "ms") ? 1e6 : !strcmp(end, "m") ? 60e9 : 0;

	if (end == text || unit == 0 || !(n >= 0 && n < 1e9))
		bad_usage("%s: %s is no time such as 10s", flag, text);
	return n * unit;
}

/* A whole number from 0. */
static inline uint64_t parse_whole(const char *text)
{
	char *end;
	long long n;

	errno = 0;
	n = strtoll(text, &end, 10);
	if (end == text || *end || errno || n < 0)
		bad_usage("sizes and counts are whole numbers from 0");
	return n;
}

#endif
