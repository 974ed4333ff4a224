/* Connections, each with a thread: one that stalls, or waits for a change, delays nobody. */
#ifndef SERVE_H
#define SERVE_H

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include "../../p16rpccalc/ref/ending.h"
#include "procedures.h"

enum { MAX_CONNECTIONS = 1000 };

static int connections[MAX_CONNECTIONS]; /* sockets, -1: none; under the lock, as is their number */
static int connection_count;
static pthread_cond_t gone = PTHREAD_COND_INITIALIZER; /* a connection */

/* The library destroys a transport in the middle of its own use: that is put off. */
static _Thread_local bool died;

static void mark_dead(SVCXPRT *x)
{
	(void)x;
	died = true;
}

static void *serve_one(void *slot)
{
	int *fd = slot, open_fd = *fd;
	SVCXPRT *x = svc_fd_create(open_fd, 0, 0);
	struct pollfd ready = { .fd = open_fd, .events = POLLIN };
	struct timeval patience = { .tv_sec = 10 };

	/* For answers; for the rest of a call the library has a patience of its own, 35 s. */
	setsockopt(open_fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (x) {
		struct xp_ops own = *x->xp_ops;
		const struct xp_ops *whole = x->xp_ops;

		own.xp_destroy = mark_dead;
		x->xp_ops = &own;
		while (!died && (poll(&ready, 1, -1) != -1 || errno == EINTR))
			svc_getreq_common(open_fd);
		x->xp_ops = whole;
	}
	/* Closed under the lock: another connection may get the number at once. */
	pthread_mutex_lock(&lock);
	if (x)
		SVC_DESTROY(x);
	else
		close(open_fd);
	*fd = -1;
	connection_count--;
	pthread_cond_broadcast(&gone);
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void take(int fd)
{
	pthread_attr_t detached;
	pthread_t thread;
	int slot = 0;

	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	pthread_mutex_lock(&lock);
	while (connections[slot] != -1)
		slot++;
	connections[slot] = fd;
	connection_count++;
	if (pthread_create(&thread, &detached, serve_one, &connections[slot]) != 0) {
		close(fd);
		connections[slot] = -1;
		connection_count--;
	}
	pthread_mutex_unlock(&lock);
	pthread_attr_destroy(&detached);
}

static int listen_at(const char *host, const char *port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | AI_PASSIVE }, *a;
	int error = getaddrinfo(host, port, &hints, &a), fd, on = 1;

	if (error)
		die("--listen: %s: %s", host, gai_strerror(error));
	fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, a->ai_addr, a->ai_addrlen) == -1 || listen(fd, SOMAXCONN) == -1)
		die("%s port %s: %s", host, port, strerror(errno));
	freeaddrinfo(a);
	return fd;
}

/* Serves until a signal, and then until nobody is served. */
static void serve(int listener, const sigset_t *unblocked)
{
	struct pollfd ready = { .fd = listener, .events = POLLIN };
	int fd;

	while (!stop) {
		/* At the limit new ones wait in the kernel's queue. */
		pthread_mutex_lock(&lock);
		ready.fd = connection_count < MAX_CONNECTIONS ? listener : -1;
		pthread_mutex_unlock(&lock);
		if (ppoll(&ready, 1, &(struct timespec){ .tv_nsec = 500000000 }, unblocked) <= 0)
			continue;
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd != -1)
			take(fd);
		else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
			poll(NULL, 0, 100); /* until one has gone */
	}
	close(listener);
	pthread_mutex_lock(&lock);
	stopping = true;
	pthread_cond_broadcast(&moved);
	for (int i = 0; i < MAX_CONNECTIONS; i++)
		if (connections[i] != -1)
			shutdown(connections[i], SHUT_RD); /* an answer that is under way still goes out */
	while (connection_count > 0)
		pthread_cond_wait(&gone, &lock);
	pthread_mutex_unlock(&lock);
}

#endif
