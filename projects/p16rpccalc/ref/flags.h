/* Values on the command lines of client and server. */
#ifndef FLAGS_H
#define FLAGS_H

#include <getopt.h>
#include <limits.h>

#include "../../internal/cli/ref/cli.h"

/* A whole number between two others, else wrong usage. */
static inline long long number(const char *text, const char *name, long long least, long long most)
{
	char *end;
	long long n;

	errno = 0;
	n = strtoll(text, &end, 0);
	if (end == text || *end || errno || n < least || n > most)
		bad_usage("%s: %s is not between %lld and %lld", name, text, least, most);
	return n;
}

static inline double seconds(const char *text, const char *name)
{
	char *end;
	double s = strtod(text, &end);

	if (end == text || *end || !(s > 0 && s <= INT_MAX))
		bad_usage("%s must be more than 0 seconds", name);
	return s;
}

enum transport { TCP, UDP, UNIX, TRANSPORTS };

static const char *const names[] = { "tcp", "udp", "unix" };

static inline enum transport transport_named(const char *text)
{
	for (int t = 0; t < TRANSPORTS; t++)
		if (strcmp(text, names[t]) == 0)
			return (enum transport)t;
	bad_usage("--transport: %s is not tcp, udp or unix", text);
}

#endif
