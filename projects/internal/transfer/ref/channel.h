/* The channel to the other end, message by message or in frames. */
#ifndef CHANNEL_H
#define CHANNEL_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "queues.h"
#include "ring.h"
#include "splice.h"
#include "verify.h"

static int in = -1, out = -1;

/* A descriptor of ours. */
static int descriptor(const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (end == text || *end || n < 0 || n > 1 << 30)
		die("\"%s\": not a descriptor", text);
	return (int)n;
}

static int open_fifo(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	return fd;
}

static void fd_in(const char *text) { in = descriptor(text); }
static void fd_out(const char *text) { out = descriptor(text); }
static void fifo_in(const char *path) { in = open_fifo(path, O_RDONLY); }
static void fifo_out(const char *path) { out = open_fifo(path, O_WRONLY); }

static void spliced_out(const char *text) { splice_open(descriptor(text)); }

static ssize_t fd_put(const void *p, size_t n) { return write(out, p, n); }
static ssize_t fd_get(void *p, size_t n) { return read(in, p, n); }
static ssize_t socket_put(const void *p, size_t n) { return send(out, p, n, MSG_NOSIGNAL); }
static ssize_t socket_get(void *p, size_t n) { return recv(in, p, n, 0); }

static const struct channel {
	const char *name;
	bool packets; /* a get returns one put, no more and no less, or what fits of it */
	void (*open_in)(const char *), (*open_out)(const char *);
	ssize_t (*put)(const void *, size_t);
	ssize_t (*get)(void *, size_t);
	/* Where to build a message so that it is sent from there. NULL: anywhere. */
	unsigned char *(*stage)(const unsigned char *m, uint64_t seq);
} channels[] = {
	{"pipe", false, fd_in, fd_out, fd_put, fd_get, NULL},
	{"fifo", false, fifo_in, fifo_out, fd_put, fd_get, NULL},
	{"vmsplice", false, fd_in, spliced_out, splice_put, fd_get, splice_stage},
	{"unix_stream", false, fd_in, fd_out, socket_put, socket_get, NULL},
	{"unix_seqpacket", true, fd_in, fd_out, socket_put, socket_get, NULL},
	{"unix_dgram", true, fd_in, fd_out, socket_put, socket_get, NULL},
	{"tcp", false, fd_in, fd_out, socket_put, socket_get, NULL},
	{"posix_mq", true, mq_open_in, mq_open_out, mq_put, mq_get, NULL},
	{"sysv_mq", true, sysv_open_in, sysv_open_out, sysv_put, sysv_get, NULL},
	{"shm_sem", true, ring_open_in, ring_open_out, ring_put, ring_get, NULL},
	{0},
}, *channel;

static unsigned char *stage(unsigned char *m, uint64_t seq)
{
	return channel->stage ? channel->stage(m, seq) : m;
}

static void put(const void *p, size_t n)
{
	while (n > 0) {
		ssize_t done = channel->put(p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			die("write: %s", strerror(errno));
		p = (const char *)p + done;
		n -= done;
	}
}

static size_t get_some(void *p, size_t n)
{
	for (;;) {
		ssize_t got = channel->get(p, n);

		if (got > 0)
			return got;
		if (got == 0)
			die("read: end of file, expected %zu bytes more", n);
		if (errno != EINTR)
			die("read: %s", strerror(errno));
	}
}

/* A packet has to fit exactly; p has room for a byte more to show that it does. */
static void get(unsigned char *p, size_t n)
{
	if (channel->packets) {
		size_t got = get_some(p, n + 1);

		if (got != n)
			die("read: a packet of %zu bytes, expected %zu", got, n);
		return;
	}
	for (size_t have = 0; have < n;)
		have += get_some(p + have, n - have);
}

/* ---- frames: a 32-bit little-endian length, then the message --------------- */

static unsigned char *frames; /* of batch bytes */
static size_t batch;
static size_t frames_begin, frames_end;

static void flush_frames(void)
{
	put(frames, frames_end);
	frames_end = 0;
}

static void put_frame(const void *p, size_t n)
{
	uint32_t le = htole32(n);

	if (frames_end + 4 + n > batch)
		flush_frames();
	memcpy(frames + frames_end, &le, 4);
	memcpy(frames + frames_end + 4, p, n);
	frames_end += 4 + n;
}

static const unsigned char *get_frame(size_t n)
{
	uint32_t le;

	while (frames_end - frames_begin < 4 + n) {
		memmove(frames, frames + frames_begin, frames_end - frames_begin);
		frames_end -= frames_begin;
		frames_begin = 0;
		frames_end += get_some(frames + frames_end, batch - frames_end);
	}
	memcpy(&le, frames + frames_begin, 4);
	if (le32toh(le) != n)
		die("a frame of %u bytes, expected %zu", le32toh(le), n);
	frames_begin += 4 + n;
	return frames + frames_begin - n;
}

#endif
