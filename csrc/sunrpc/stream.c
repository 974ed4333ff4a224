/* Records over a stream: RFC 5531, section 11. */
#include "conn.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LAST_FRAGMENT 0x80000000u

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

/* Sleeps until fd is ready or the time is over. */
static int wait_until(int fd, short events, int64_t deadline)
{
	struct pollfd pfd = {.fd = fd, .events = events};

	for (;;) {
		int64_t left = deadline - now_ns();
		if (left <= 0)
			return ETIMEDOUT;
		struct timespec ts = {.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};
		int n = ppoll(&pfd, 1, &ts, NULL);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return errno;
	}
}

/*
 * Reads until need bytes are in the buffer. Between two records it sleeps in recv, for the
 * idle time that is set on the socket, and most records come whole by that one call; within
 * a record the record's own time counts, which begins with its first byte: deadline, 0
 * before. ENODATA: the end, between two records.
 */
static int fill(struct unp_sunrpc_conn *c, size_t need, int64_t *deadline)
{
	struct buffer *in = &c->in;
	size_t have;
	int err;

	while ((have = in->end - in->start) < need) {
		/* Room for what a length claims as long as that is little, then for what comes. */
		size_t want = have * 2 > KEEP ? have * 2 : KEEP;
		if ((err = unp_sunrpc_reserve(in, want < need ? want : need)) != 0)
			return err;
		if (*deadline == 0 && have > 0)
			*deadline = now_ns() + c->server->record_ns;
		ssize_t n = recv(c->fd, in->bytes + in->end, in->size - in->end, *deadline != 0 ? MSG_DONTWAIT : 0);
		if (n > 0)
			in->end += n;
		else if (n == 0)
			return *deadline != 0 ? ECONNABORTED : ENODATA;
		else if (errno == EAGAIN && *deadline == 0)
			return ETIMEDOUT;
		else if (errno != EINTR && errno != EAGAIN)
			return errno;
		else if (*deadline != 0 && (err = wait_until(c->fd, POLLIN, *deadline)) != 0)
			return err;
	}
	return 0;
}

/* Moves n bytes that are gap bytes behind in.start + at to there. */
static void close_gap(struct buffer *in, size_t at, size_t gap, size_t n)
{
	char *to = in->bytes + in->start + at;

	if (gap > 0)
		memmove(to, to + gap, n);
}

/* A record is left whole at in.start, without the marks of its fragments. */
static int read_record(struct unp_sunrpc_conn *c, size_t *length)
{
	struct buffer *in = &c->in;
	size_t got = 0, marks = 0, fragments = 0; /* marks: bytes of them behind got */
	int64_t deadline = 0;
	uint32_t mark;
	int err;

	if (in->start == in->end)
		in->start = in->end = 0;
	do {
		if ((err = fill(c, got + marks + MARK, &deadline)) != 0)
			return err;
		memcpy(&mark, in->bytes + in->start + got + marks, MARK);
		mark = ntohl(mark);
		size_t n = mark & ~LAST_FRAGMENT;
		if (n > c->server->max_record - got)
			return EMSGSIZE;
		/* Each takes room and time: a record in crumbs is an attack. */
		if (++fragments > 64 + got / 1024)
			return EBADMSG;
		if (got == 0)
			in->start += MARK;
		else
			marks += MARK;
		/* Its first byte has come, even if no other has. */
		if (deadline == 0 && in->end - in->start < got + marks + n)
			deadline = now_ns() + c->server->record_ns;
		if ((err = fill(c, got + marks + n, &deadline)) != 0)
			return err;
		close_gap(in, got, marks, n);
		got += n;
	} while ((mark & LAST_FRAGMENT) == 0);
	/* The beginning of another record follows, mostly nothing. */
	close_gap(in, got, marks, in->end - in->start - got - marks);
	in->end -= marks;
	*length = got;
	return 0;
}

int unp_sunrpc_serve_stream(struct unp_sunrpc_conn *c)
{
	struct buffer *in = &c->in;
	size_t length;
	int err;

	while (!atomic_load(&c->stopping)) {
		if ((err = read_record(c, &length)) == 0)
			err = unp_sunrpc_answer(c, in->bytes + in->start, length);
		if (err != 0)
			return err == ENODATA || atomic_load(&c->stopping) ? 0 : err;
		in->start += length;
		if (in->start == in->end)
			unp_sunrpc_shrink(in);
		unp_sunrpc_shrink(&c->out);
	}
	return 0;
}

int unp_sunrpc_send_stream(struct unp_sunrpc_conn *c, size_t length)
{
	uint32_t mark = htonl(LAST_FRAGMENT | (uint32_t)length);
	size_t sent = 0, size = MARK + length;
	int64_t deadline = 0;
	int err;

	memcpy(c->out.bytes, &mark, MARK);
	for (;;) {
		/* The first send may sleep for the time that is set on the socket. */
		ssize_t n = send(c->fd, c->out.bytes + sent, size - sent, MSG_NOSIGNAL | (deadline ? MSG_DONTWAIT : 0));
		if (n > 0)
			sent += n;
		else if (errno != EINTR && errno != EAGAIN)
			return errno;
		else if (errno == EAGAIN && deadline == 0)
			return ETIMEDOUT;
		if (sent == size)
			return 0;
		if (deadline == 0)
			deadline = now_ns() + c->server->record_ns;
		if ((err = wait_until(c->fd, POLLOUT, deadline)) != 0)
			return err;
	}
}
