/*
 * The protocol between calc_client and calc_server.
 *
 * Request:  pid:operation\n   one write of at most PIPE_BUF bytes
 * Reply:    8\n               or error: reason\n, into calc_client_<pid>, a FIFO
 *                             in the directory of the server's
 */
#ifndef CALC_H
#define CALC_H

#include <ctype.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/types.h>
#include <time.h>

#define DEFAULT_FIFO "/tmp/calc_server"
#define REPLY_PREFIX "calc_client_"
#define SECOND INT64_C(1000000000)

/* A fragment as show() prints it: every byte may take four. */
#define SHOWN(len) (4 * (len) + 1)

/* The length of the directory in path, its last slash included. */
static inline int directory_length(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? (int)(slash - path) + 1 : 0;
}

static inline void reply_path(char path[PATH_MAX], const char *server, long pid)
{
	snprintf(path, PATH_MAX, "%.*s" REPLY_PREFIX "%ld", directory_length(server), server, pid);
}

/*
 * Finds a colon behind a digit, -1 if there is none. It may end the pid of a second
 * request, written behind one that lacks its newline: nobody can tell whose line
 * that is.
 */
static inline int glued(const char *operation, size_t len)
{
	for (size_t i = 1; i < len; i++)
		if (operation[i] == ':' && isdigit((unsigned char)operation[i - 1]))
			return (int)i;
	return -1;
}

/* Escapes what a terminal would not show as one character of its own. */
static inline const char *show(char *out, const char *text, size_t len)
{
	char *to = out;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = text[i];
		if (c == '\\')
			to += sprintf(to, "\\\\");
		else if (c < ' ' || c > '~')
			to += sprintf(to, "\\x%02x", c);
		else
			*to++ = c;
	}
	*to = '\0';
	return out;
}

static inline int64_t monotonic_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * SECOND + now.tv_nsec;
}

/* The time left for poll(2), rounded up: waking early would only mean to poll again. */
static inline int poll_timeout(int64_t ns)
{
	int64_t ms = ns <= 0 ? 0 : (ns - 1) / 1000000 + 1;
	return ms < INT_MAX ? (int)ms : INT_MAX;
}

/*
 * A descriptor that is readable once SIGINT or SIGTERM came, unless that is ignored
 * as in the background of a script. The signals stay pending.
 */
static inline int stop_signals(sigset_t *set)
{
	static const int stopping[] = {SIGINT, SIGTERM};
	sigemptyset(set);
	for (int i = 0; i < 2; i++) {
		struct sigaction action;
		sigaction(stopping[i], NULL, &action);
		if (action.sa_handler != SIG_IGN)
			sigaddset(set, stopping[i]);
	}
	sigprocmask(SIG_BLOCK, set, NULL);
	return signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK);
}

#endif
