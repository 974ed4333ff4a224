/* What the lecture's programs share, as package lecture has it for Go. */
#ifndef LECTURE_H
#define LECTURE_H

#include <ctype.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ipc.h>

#include "../../cli/ref/cli.h"

static void (*lecture_cleanup)(void);

static inline void lecture_end_once(void)
{
	static volatile sig_atomic_t ended;

	if (!ended) {
		ended = 1;
		lecture_cleanup();
	}
}

static inline void lecture_end_by(int sig)
{
	lecture_end_once();
	raise(sig); /* SA_RESETHAND: it ends the process */
}

/* However the process ends, kill -9 excepted: by exit, SIGINT or SIGTERM. cleanup makes
 * only bare system calls, since it may run in a signal handler. */
static inline void at_end(void (*cleanup)(void))
{
	struct sigaction action = {.sa_handler = lecture_end_by, .sa_flags = SA_RESETHAND | SA_NODEFER};
	struct sigaction old;
	const int signals[] = {SIGINT, SIGTERM};

	lecture_cleanup = cleanup;
	atexit(lecture_end_once);
	for (int i = 0; i < 2; i++)
		if (!sigaction(signals[i], NULL, &old) && old.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	signal(SIGPIPE, SIG_IGN); /* a write to nobody is an error, not the end */
}

/* SIG_BLOCK before an object is made, SIG_UNBLOCK when cleanup knows of it: an end in
 * between would leave it. */
static inline void hold_end(int how)
{
	sigset_t both;

	sigemptyset(&both);
	sigaddset(&both, SIGINT);
	sigaddset(&both, SIGTERM);
	sigprocmask(how, &both, NULL);
}

/* Prints at once. */
__attribute__((format(printf, 1, 2))) static inline void say(const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vprintf(format, args);
	va_end(args);
	if (n < 0 || fflush(stdout))
		die("standard output: %s", strerror(errno));
}

/* The next line of standard input without its end, NULL at the end. */
static inline char *next_line(void)
{
	static char *line;
	static size_t room;
	ssize_t n = getline(&line, &room, stdin);

	if (n < 0) {
		if (ferror(stdin))
			die("standard input: %s", strerror(errno));
		return NULL;
	}
	if (n > 0 && line[n - 1] == '\n')
		line[n - 1] = '\0';
	return line;
}

/* The key that was given, or ftok's of the current directory and the program's number. */
static inline key_t key_of(const char *text, int number)
{
	unsigned long long n;
	char *end;
	key_t key;

	if (text) {
		errno = 0;
		n = strtoull(text, &end, 0);
		if (!isdigit((unsigned char)*text) || *end || errno || n == 0 || n > UINT32_MAX)
			bad_usage("--key %s: not a number of 32 bits, or 0, which is no key", text);
		return (key_t)n;
	}
	key = ftok(".", number);
	if (key == -1)
		die("ftok .: %s", strerror(errno));
	return key;
}

/* The number that was given to --flag. */
static inline long number(const char *flag, const char *text, long least, long most)
{
	char *end;
	errno = 0;
	long n = strtol(text, &end, 0);
	if (end == text || *end || errno || n < least || n > most)
		bad_usage("--%s must be from %ld to %ld", flag, least, most);
	return n;
}

/* A key as it is printed. */
static inline const char *key_text(key_t key)
{
	static char text[16];

	snprintf(text, sizeof text, "0x%08x", (unsigned)key);
	return text;
}

/* --help: text is all of it. */
static inline _Noreturn void show_help(const char *text)
{
	puts(text);
	exit(finish());
}

/* Of a program whose only flag is --name, next to --help: its value, or what it is
 * without the flag. Arguments begin at optind. */
static inline const char *only_flag(int argc, char **argv, const char *name, const char *value, const char *help)
{
	const struct option options[] = {
		{name, required_argument, NULL, 'v'}, {"help", no_argument, NULL, 'h'}, {0}};
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'v': value = optarg; break;
		case 'h': show_help(help);
		default: try_help();
		}
	}
	return value;
}

#endif
