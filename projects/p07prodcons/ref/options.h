/* Numbers on the command line. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn static void bad_usage(const char *program, const char *flag, const char *value)
{
	fprintf(stderr, "%s: --%s: \"%s\" is not allowed\nTry '%s --help'.\n", program, flag, value, program);
	exit(2);
}

static long number(const char *program, const char *flag, const char *value, long least, long most)
{
	char *end;

	errno = 0;
	long n = strtol(value, &end, 10);
	if (errno != 0 || end == value || *end != '\0' || n < least || n > most)
		bad_usage(program, flag, value);
	return n;
}

/* Whether --cpus is one, and not any. */
static bool one_cpu(const char *program, const char *value)
{
	bool one = strcmp(value, "one") == 0;

	if (!one && strcmp(value, "any") != 0)
		bad_usage(program, "cpus", value);
	return one;
}

#endif
