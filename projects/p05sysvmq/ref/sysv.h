/* What sysv_server and sysv_client agree on: types, layouts, who is alive. */
#ifndef SYSV_H
#define SYSV_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/ipc.h>
#include <sys/msg.h>

#include "../../internal/alive/ref/alive.h"
#include "../../internal/cli/ref/cli.h"
#include "../../internal/measure/ref/clock.h"

#define REQUEST_TYPE 1
#define TYPE_OF_PID_1 0x7fffffffL /* 1 is the type of requests, and this is no pid */
#define MAGIC 0x31515653u	  /* "SVQ1" on a little-endian machine */
#define SUFFIX "_PROCESSED"
#define SECOND 1000000000ull

struct request {
	long type; /* REQUEST_TYPE */
	uint32_t magic;
	int32_t pid;	   /* of the client */
	uint64_t started;  /* field 22 of its /proc/PID/stat */
	uint64_t nonce;	   /* random */
	uint64_t deadline; /* CLOCK_MONOTONIC, ns; 0: the client does not say */
	char text[];
};

struct response {
	long type;	   /* response_type(pid) */
	uint64_t nonce;	   /* the request's */
	uint64_t deadline; /* the request's */
	uint32_t status;   /* 0: text is the answer; else why there is none */
	char text[];
};

/* What msgsnd and msgrcv count: all but the type. */
#define DATA_OFFSET sizeof(long)
#define REQUEST_HEAD (offsetof(struct request, text) - DATA_OFFSET)
#define RESPONSE_HEAD (offsetof(struct response, text) - DATA_OFFSET)
_Static_assert(sizeof(long) != 8 || (REQUEST_HEAD == 32 && RESPONSE_HEAD == 20), "layout");
/* A response is never longer than its request, so it fits wherever that did. */
_Static_assert(RESPONSE_HEAD + sizeof SUFFIX - 1 <= REQUEST_HEAD, "response too long");

static inline void *allocate(void *old, size_t size)
{
	void *p = realloc(old, size);
	if (!p)
		die("out of memory");
	return p;
}

static inline long response_type(pid_t pid)
{
	return pid == REQUEST_TYPE ? TYPE_OF_PID_1 : pid;
}

/* The pid whose responses have the type, 0 if it is nobody's. */
static inline pid_t client_of(long type)
{
	if (type == TYPE_OF_PID_1)
		return REQUEST_TYPE;
	return type == REQUEST_TYPE || type > INT_MAX ? 0 : (pid_t)type;
}

/* A message in memory that grows. */
struct room {
	union {
		long type;
		struct request request;
		struct response response;
	} *message;
	size_t size; /* bytes of data that it has room for */
};

/*
 * msgrcv into memory that grows: a message that does not fit would stay at the head of
 * the queue for ever.
 */
static inline ssize_t receive(int queue, struct room *room, long type, int flags)
{
	for (;;) {
		if (room->size) {
			ssize_t n = msgrcv(queue, room->message, room->size, type, flags);
			if (n >= 0 || errno != E2BIG)
				return n;
		}
		room->size = room->size ? 2 * room->size : 8192;
		room->message = allocate(room->message, DATA_OFFSET + room->size);
	}
}

/* Whether the error is that the queue is no longer there. */
static inline bool removed(int error)
{
	return error == EIDRM || error == EINVAL;
}

/* Escapes what a terminal would not show as one character of its own. To be freed. */
static inline char *show(const char *text, size_t len)
{
	char *out = allocate(NULL, 4 * len + 1), *to = out;
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

#endif
