/* The sockets of a server, and how it waits for them until it is told to end. */
#ifndef SOCKETS_H
#define SOCKETS_H

#include "ending.h"
#include "reach.h"

/* Where this server is. */
static struct {
	int fd;
	unsigned port;
} ours[TRANSPORTS] = { { -1, 0 }, { -1, 0 }, { -1, 0 } };

/* How many at a time, and how long one may say nothing: seconds. */
static struct {
	long connections;
	double idle;
} limits = { 1000, 300 };

/* The socket's file of a server that was killed is still there, but nobody listens. */
static void remove_stale(const struct place *p)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const char *path = p->un.sun_path;
	struct stat st;

	if (lstat(path, &st) == 0 && !S_ISSOCK(st.st_mode))
		die("%s: there is a file that is no socket", path);
	if (connect(fd, &p->any, p->size) == 0 || errno == EAGAIN)
		die("%s: a server is listening there", path);
	if (errno == ECONNREFUSED && unlink(path) == -1)
		die("remove %s: %s", path, strerror(errno));
	close(fd);
}

/* A transport for calls that come to a place. A socket's file has the mode. */
static SVCXPRT *listen_at(enum transport t, struct place p, mode_t mode)
{
	int fd = socket(p.any.sa_family, (t == UDP ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0), on = 1;
	SVCXPRT *x;

	if (t == UNIX) {
		remove_stale(&p);
		umask(0777 & ~mode);
	} else if (t == TCP) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	}
	if (bind(fd, &p.any, p.size) == -1 || (t != UDP && listen(fd, SOMAXCONN) == -1)) {
		if (t == UNIX)
			die("listen %s: %s", p.un.sun_path, strerror(errno));
		die("%s port %u: %s", names[t], ntohs(p.in.sin_port), strerror(errno));
	}
	getsockname(fd, &p.any, &p.size);
	x = t == UDP ? svc_dg_create(fd, 0, 0) : svc_vc_create(fd, 0, 0);
	if (!x)
		die("%s: cannot make a service", names[t]);
	ours[t].fd = fd;
	ours[t].port = t == UNIX ? 0 : ntohs(p.in.sin_port);
	return x;
}

static bool is_connection(int fd)
{
	for (int t = 0; t < TRANSPORTS; t++)
		if (fd == ours[t].fd)
			return false;
	return fd >= 0;
}

/*
 * Waits for all sockets and lets libtirpc read what is there. At the limit of connections
 * new ones stay in the kernel's queue; one that has been idle for too long is shut down,
 * which libtirpc finds out by reading.
 */
static void serve(const sigset_t *unblocked)
{
	static double last[65536]; /* when something came from the connection */

	while (!stop) {
		struct pollfd fds[svc_max_pollfd + 1];
		int n = svc_max_pollfd, connections = 0, ready;
		double time = now();

		memcpy(fds, svc_pollfd, (size_t)n * sizeof(*fds));
		for (int i = 0; i < n; i++) {
			if (!is_connection(fds[i].fd))
				continue;
			connections++;
			if (!last[fds[i].fd])
				last[fds[i].fd] = time;
			if (time - last[fds[i].fd] > limits.idle)
				shutdown(fds[i].fd, SHUT_RDWR);
		}
		for (int i = 0; i < n && connections >= limits.connections; i++)
			if (fds[i].fd == ours[TCP].fd || fds[i].fd == ours[UNIX].fd)
				fds[i].fd = -1;
		ready = ppoll(fds, (nfds_t)n, connections ? &(struct timespec){ .tv_nsec = 500000000 } : NULL, unblocked);
		if (ready == -1 && errno != EINTR)
			die("poll: %s", strerror(errno));
		if (ready <= 0)
			continue;
		time = now();
		for (int i = 0; i < n; i++)
			if (fds[i].fd >= 0 && fds[i].revents)
				last[fds[i].fd] = fds[i].revents & (POLLHUP | POLLERR) ? 0 : time;
		svc_getreq_poll(fds, ready);
	}
}

#endif
