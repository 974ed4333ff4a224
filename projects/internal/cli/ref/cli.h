/* The manners of every program, as package cli has them. */
#ifndef CLI_H
#define CLI_H

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Failed: says what and why, and ends the process with 1. */
__attribute__((format(printf, 1, 2), noreturn)) static inline void die(const char *format, ...)
{
	char text[BUFSIZ];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fflush(stdout);
	dprintf(STDERR_FILENO, "%s: %s\n", program_invocation_short_name, text); /* one write, for many may die at once */
	exit(1);
}

/* After getopt has complained: ends the process with 2. */
static inline _Noreturn void try_help(void)
{
	fprintf(stderr, "Try '%s --help'.\n", program_invocation_short_name);
	exit(2);
}

/* Says what is wrong with the command line, and ends the process with 2. */
__attribute__((format(printf, 1, 2), noreturn)) static inline void bad_usage(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "%s: ", program_invocation_short_name);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	try_help();
}

/* The exit status at the end: output that could not be written is a failure. */
static inline int finish(void)
{
	if (fflush(stdout) || ferror(stdout))
		die("standard output: %s", strerror(errno));
	return 0;
}

#endif
