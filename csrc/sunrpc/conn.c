#include "conn.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

int unp_sunrpc_reserve(struct buffer *b, size_t size)
{
	size_t used = b->end - b->start;

	if (b->size - b->start >= size)
		return 0;
	if (b->size < size) {
		size_t larger = b->size * 2 > size ? b->size * 2 : size;
		char *bytes = malloc(larger);
		if (bytes == NULL)
			return ENOMEM;
		if (used > 0)
			memcpy(bytes, b->bytes + b->start, used);
		free(b->bytes);
		b->bytes = bytes;
		b->size = larger;
	} else {
		memmove(b->bytes, b->bytes + b->start, used);
	}
	b->start = 0;
	b->end = used;
	return 0;
}

void unp_sunrpc_shrink(struct buffer *b)
{
	char *bytes;

	if (b->size > KEEP && (bytes = malloc(ROOM)) != NULL) {
		free(b->bytes);
		*b = (struct buffer){.bytes = bytes, .size = ROOM};
	}
}

static int set_time(int fd, int option, int64_t ns)
{
	struct timeval tv = {.tv_sec = ns / 1000000000, .tv_usec = ns % 1000000000 / 1000};

	if (ns < 0)
		tv.tv_sec = 0; /* for ever */
	else if (tv.tv_sec == 0 && tv.tv_usec == 0)
		tv.tv_usec = 1;
	return setsockopt(fd, SOL_SOCKET, option, &tv, sizeof tv) == 0 ? 0 : errno;
}

int unp_sunrpc_open(const struct unp_sunrpc_server *server, int fd, void *cookie,
		    struct unp_sunrpc_conn **conn)
{
	int type, err;
	socklen_t length = sizeof type;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) != 0)
		return errno;
	if (type == SOCK_STREAM && ((err = set_time(fd, SO_RCVTIMEO, server->idle_ns)) != 0 ||
				    (err = set_time(fd, SO_SNDTIMEO, server->record_ns)) != 0))
		return err;

	struct unp_sunrpc_conn *c = calloc(1, sizeof *c);
	if (c == NULL)
		return ENOMEM;
	c->server = server;
	c->fd = fd;
	c->cookie = cookie;
	c->datagram = type == SOCK_DGRAM;
	c->max_reply = server->max_record;
	if (c->datagram && c->max_reply > UDPMSGSIZE)
		c->max_reply = UDPMSGSIZE;
	c->transport = (SVCXPRT){
		.xp_fd = fd,
		.xp_ops = &unp_sunrpc_ops,
		.xp_ops2 = &unp_sunrpc_ops2,
		.xp_p1 = c,
		.xp_p3 = &c->ext,
	};
	if (unp_sunrpc_reserve(&c->in, ROOM) != 0 || unp_sunrpc_reserve(&c->out, ROOM) != 0) {
		unp_sunrpc_close(c);
		return ENOMEM;
	}
	*conn = c;
	return 0;
}

/*
 * libtirpc finds a context of RPCSEC_GSS by the address of its transport, and forgets it 300
 * seconds after its last use, whatever becomes of the transport. Another one must not come
 * to have that address before, and the context with it.
 */
#define MEMORY 310

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct unp_sunrpc_conn *dead, **last = &dead; /* the first has died first */

static time_t seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

static void bury(struct unp_sunrpc_conn *c)
{
	struct unp_sunrpc_conn *old;

	pthread_mutex_lock(&lock);
	c->died = seconds();
	c->next = NULL;
	*last = c;
	last = &c->next;
	/* c itself is too young: the list does not become empty. */
	while ((old = dead)->died + MEMORY < c->died) {
		dead = old->next;
		free(old);
	}
	pthread_mutex_unlock(&lock);
}

void unp_sunrpc_close(struct unp_sunrpc_conn *c)
{
	free(c->in.bytes);
	free(c->out.bytes);
	if (c->gss)
		bury(c);
	else
		free(c);
}

void unp_sunrpc_stop(struct unp_sunrpc_conn *c)
{
	atomic_store(&c->stopping, true);
}

void unp_sunrpc_peer(const struct svc_req *req, struct sockaddr_storage *peer)
{
	*peer = ((struct unp_sunrpc_conn *)req->rq_xprt->xp_p1)->peer;
}
