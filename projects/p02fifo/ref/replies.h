/*
 * The server's way back: replies to clients that may be slow, gone or made up.
 * Nothing here waits. A client that has made its FIFO but not opened it yet gets
 * PATIENCE; its replies wait in a table that the main loop comes back to.
 */
#ifndef REPLIES_H
#define REPLIES_H

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include "calc.h"

#define PATIENCE (2 * SECOND)
#define FIRST_PAUSE (SECOND / 1000)
#define MAX_PAUSE (SECOND / 20)
#define MAX_WAITING 1024

static const char *server_fifo = DEFAULT_FIFO;
static bool quiet;
static int log_error;

/* Replies, in their order, to one client that does not read yet. */
static struct waiting {
	long pid;
	int64_t deadline, next, pause;
	size_t len;
	char text[PIPE_BUF];
} waiting[MAX_WAITING];
static int nwaiting;

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n'); /* standard output is line buffered */
	if (ferror(stdout) && !log_error)
		log_error = errno;
}

static bool is_our_fifo(const struct stat *st, const char **why)
{
	if (!S_ISFIFO(st->st_mode))
		*why = "not a FIFO";
	else if (geteuid() != 0 && st->st_uid != geteuid())
		*why = "another user's FIFO";
	else
		return true;
	return false;
}

static const char no_reader[] = "no reader";

/* Opens the FIFO at path, which a stranger chose. Returns -1 and why it cannot. */
static int open_reply(const char *path, const char **why)
{
	struct stat st;
	int fd = -1;
	/* Before it is opened: opening a device can do something. */
	if (lstat(path, &st) == 0) {
		if (!is_our_fifo(&st, why))
			return -1;
		fd = open(path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	}
	if (fd < 0) {
		*why = errno == ENXIO ? no_reader : errno == ENOENT ? "no such FIFO" : strerror(errno);
		return -1;
	}
	/* And again: the name may be another's by now. */
	if (fstat(fd, &st) != 0 || !is_our_fifo(&st, why)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Sends whole lines of replies. Returns false, and sends none, if nobody reads yet. */
static bool deliver(long pid, const char *text, size_t len, bool last_try)
{
	char path[PATH_MAX];
	const char *why = NULL;
	reply_path(path, server_fifo, pid);
	int fd = open_reply(path, &why);
	if (why == no_reader && !last_try)
		return false;
	if (fd >= 0) {
		const char *line = text, *end;
		for (; !quiet && line < text + len; line = end + 1) {
			end = memchr(line, '\n', text + len - line);
			say("Sending response: %.*s to %s", (int)(end - line), line, path);
		}
		/* At most PIPE_BUF bytes: all of them or none. */
		if (write(fd, text, len) < 0)
			why = errno == EAGAIN ? "FIFO full" : errno == EPIPE ? no_reader : strerror(errno);
		close(fd);
	}
	if (why)
		say("No reply to %s: %s", path, why);
	return true;
}

static struct waiting *waiting_for(long pid)
{
	for (struct waiting *w = waiting; w < waiting + nwaiting; w++)
		if (w->pid == pid)
			return w;
	return NULL;
}

/* Sends a reply line, now or as soon as the client opens its FIFO. */
static void reply(long pid, const char *line, size_t len)
{
	struct waiting *w = waiting_for(pid);
	int64_t now;
	if (!w) {
		if (deliver(pid, line, len, nwaiting == MAX_WAITING))
			return;
		now = monotonic_ns();
		w = &waiting[nwaiting++];
		*w = (struct waiting){pid, now + PATIENCE, now + FIRST_PAUSE, FIRST_PAUSE, 0, ""};
	}
	if (w->len + len > sizeof w->text)
		say("No reply to client %ld: too many are waiting", pid);
	else
		memcpy(w->text + w->len, line, len), w->len += len;
}

/* Tries again what is due, and returns when to come back: 0 for never. */
static int64_t retry_replies(void)
{
	int64_t earliest = 0, now = nwaiting ? monotonic_ns() : 0;
	for (int i = nwaiting - 1; i >= 0; i--) {
		struct waiting *w = &waiting[i];
		if (now >= w->next) {
			if (deliver(w->pid, w->text, w->len, now >= w->deadline)) {
				*w = waiting[--nwaiting];
				continue;
			}
			w->pause = w->pause * 2 < MAX_PAUSE ? w->pause * 2 : MAX_PAUSE;
			w->next = now + w->pause;
		}
		if (!earliest || w->next < earliest)
			earliest = w->next;
	}
	return earliest;
}

#endif
