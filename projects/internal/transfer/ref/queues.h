/* Message queues: two of POSIX's, or two types of one of System V's. */
#ifndef QUEUES_H
#define QUEUES_H

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/msg.h>

#include "verify.h"

static mqd_t mq_in, mq_out;
static unsigned char *mq_room; /* a queue wants room for any message */
static size_t mq_room_size;

static mqd_t mq_open_end(const char *name, int flags)
{
	mqd_t q = mq_open(name, flags);
	struct mq_attr attr;

	if (q == (mqd_t)-1)
		die("mq_open %s: %s", name, strerror(errno));
	if (flags == O_RDONLY) {
		if (mq_getattr(q, &attr) != 0)
			die("mq_getattr %s: %s", name, strerror(errno));
		mq_room_size = attr.mq_msgsize;
		mq_room = malloc(mq_room_size);
		if (!mq_room)
			die("%zu bytes: %s", mq_room_size, strerror(errno));
	}
	return q;
}

static void mq_open_in(const char *name) { mq_in = mq_open_end(name, O_RDONLY); }
static void mq_open_out(const char *name) { mq_out = mq_open_end(name, O_WRONLY); }

static ssize_t mq_put(const void *p, size_t n)
{
	return mq_send(mq_out, p, n, 0) == 0 ? (ssize_t)n : -1;
}

static ssize_t mq_get(void *p, size_t n)
{
	ssize_t got;

	if (n >= mq_room_size)
		return mq_receive(mq_in, p, n, NULL);
	got = mq_receive(mq_in, (char *)mq_room, mq_room_size, NULL);
	if (got > (ssize_t)n)
		got = n;
	if (got > 0)
		memcpy(p, mq_room, got);
	return got;
}

struct sysv_message {
	long type;
	unsigned char bytes[];
};

/* A direction: the messages of one type. */
static struct sysv_end {
	int id;
	long type;
	struct sysv_message *message;
} sysv_in, sysv_out;

/* where is KEY:TYPE. */
static struct sysv_end sysv_open_end(const char *where)
{
	size_t room = (size > 4 ? size : 4) + 1; /* one byte more shows one that is too long */
	char *colon, *rest;
	unsigned long key = strtoul(where, &colon, 0);
	struct sysv_end e = {.message = malloc(sizeof(*e.message) + room)};

	e.type = *colon == ':' ? strtol(colon + 1, &rest, 10) : 0;
	if (key > UINT32_MAX || e.type < 1 || *rest)
		die("\"%s\": not KEY:TYPE of a System V queue", where);
	if (!e.message)
		die("%zu bytes: %s", room, strerror(errno));
	e.id = msgget((key_t)key, 0);
	if (e.id == -1)
		die("msgget %s: %s", where, strerror(errno));
	return e;
}

static void sysv_open_in(const char *where) { sysv_in = sysv_open_end(where); }
static void sysv_open_out(const char *where) { sysv_out = sysv_open_end(where); }

static ssize_t sysv_put(const void *p, size_t n)
{
	sysv_out.message->type = sysv_out.type;
	memcpy(sysv_out.message->bytes, p, n);
	return msgsnd(sysv_out.id, sysv_out.message, n, 0) == 0 ? (ssize_t)n : -1;
}

static ssize_t sysv_get(void *p, size_t n)
{
	size_t room = (size > 4 ? size : 4) + 1;
	ssize_t got = msgrcv(sysv_in.id, sysv_in.message, room, sysv_in.type, 0);

	if (got > (ssize_t)n)
		got = n;
	if (got > 0)
		memcpy(p, sysv_in.message->bytes, got);
	return got;
}

#endif
