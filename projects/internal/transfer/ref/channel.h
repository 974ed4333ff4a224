/* The channel to the other end, message by message or in frames. */
#ifndef CHANNEL_H
#define CHANNEL_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "message.h"

static int in = -1, out = -1;
static bool sockets;
static bool packets; /* a read returns one write, no more and no less */

static void put(const void *p, size_t n)
{
	while (n > 0) {
		ssize_t done = sockets ? send(out, p, n, MSG_NOSIGNAL) : write(out, p, n);

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
		ssize_t got = sockets ? recv(in, p, n, 0) : read(in, p, n);

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
	if (packets) {
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
