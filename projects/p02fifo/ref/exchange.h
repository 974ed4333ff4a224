/* The client's one conversation: a request out, its answer in. */
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "calc.h"

/*
 * A request goes out a second time after this: somebody's half line may have
 * spoilt the first. Calculating twice does no harm.
 */
#define RESEND_AFTER SECOND

static const char *server_path = DEFAULT_FIFO;
static char path[PATH_MAX]; /* of the FIFO for replies, once it is made */
static int server, reply;
static double timeout = 5;
static bool resent; /* an answer may still come twice */
static sigset_t stopping;
static int signals;

static void clean_up(void)
{
	if (*path)
		unlink(path);
	*path = '\0';
}

__attribute__((format(printf, 1, 2))) static _Noreturn void die(const char *format, ...)
{
	va_list args;
	clean_up();
	fputs("calc_client: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

/* Ends as the signal would have, so that a shell's loop stops too. */
static _Noreturn void die_by_signal(void)
{
	clean_up();
	sigprocmask(SIG_UNBLOCK, &stopping, NULL); /* it is pending */
	_exit(1);
}

/* One answer line if there is one; what is behind it stays for the next call. */
static bool take_answer(char answer[PIPE_BUF])
{
	static char in[2 * PIPE_BUF];
	static size_t len;
	ssize_t n = read(reply, in + len, sizeof in - len);
	len += n > 0 ? n : 0;
	char *end = memchr(in, '\n', len);
	if (!end || end - in >= PIPE_BUF) {
		if (len >= PIPE_BUF)
			die("%s: not an answer: no newline", path);
		return false;
	}
	memcpy(answer, in, end - in);
	answer[end - in] = '\0';
	len -= end + 1 - in;
	memmove(in, end + 1, len);
	return true;
}

/* Sends a request and takes answers until the wanted one comes; NULL: any. */
static void exchange(const char *request, const char *wanted, char answer[PIPE_BUF])
{
	int64_t now = monotonic_ns(), resend = now + RESEND_AFTER;
	const int64_t give_up = now + (int64_t)(timeout * SECOND);
	for (bool unsent = true;;) {
		if (unsent && write(server, request, strlen(request)) >= 0)
			unsent = false;
		else if (unsent && errno == EPIPE)
			die("%s: the server is gone", server_path);
		else if (unsent && errno != EAGAIN)
			die("%s: %s", server_path, strerror(errno));
		/* That the server's FIFO has lost its reader (POLLERR) is reported unasked. */
		struct pollfd fds[] = {{reply, POLLIN, 0}, {server, unsent ? POLLOUT : 0, 0},
			{signals, POLLIN, 0}};
		int64_t until = unsent || resend > give_up ? give_up : resend;
		if (poll(fds, 3, poll_timeout(until - now)) < 0 && errno != EINTR)
			die("poll: %s", strerror(errno));
		if (fds[2].revents)
			die_by_signal();
		while (fds[0].revents & POLLIN && take_answer(answer))
			if (!wanted || strcmp(answer, wanted) == 0)
				return;
		if (fds[1].revents & POLLERR)
			die("%s: the server is gone", server_path);
		now = monotonic_ns();
		if (now >= give_up)
			die("%s: no answer within %g s", server_path, timeout);
		if (!unsent && now >= resend) {
			unsent = resent = true;
			resend = INT64_MAX;
		}
	}
}

/*
 * A request sent twice may be answered twice. Answers come in the order of the
 * requests: what comes before that to a number nobody else asks for is old.
 */
static void skip_old_answers(void)
{
	char mark[32], request[64], answer[PIPE_BUF];
	while (resent) {
		resent = false;
		snprintf(mark, sizeof mark, "%" PRId64, monotonic_ns());
		snprintf(request, sizeof request, "%d:%s\n", getpid(), mark);
		exchange(request, mark, answer);
	}
}

#endif
