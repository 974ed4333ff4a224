/* How client and server reach a program: places, rpcbind, and a deadline for it all. */
#ifndef REACH_H
#define REACH_H

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <rpc/rpc.h>
#include <rpc/pmap_prot.h>
#include <rpc/rpc_com.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../internal/measure/ref/clock.h"
#include "flags.h"

/* Where a program is: an address of the Internet, or a path. */
struct place {
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_un un;
	};
	socklen_t size;
};

static struct place at_port(struct in_addr host, unsigned port)
{
	struct place p = { .in = { .sin_family = AF_INET, .sin_addr = host, .sin_port = htons((uint16_t)port) },
			   .size = sizeof(p.in) };

	return p;
}

static struct place at_path(const char *path)
{
	struct place p = { .un = { .sun_family = AF_UNIX }, .size = sizeof(p.un) };

	if (strlen(path) >= sizeof(p.un.sun_path))
		bad_usage("%s: longer than %zu bytes", path, sizeof(p.un.sun_path) - 1);
	strcpy(p.un.sun_path, path);
	return p;
}

/* Seconds of a clock that is never set. */
static double now(void)
{
	return (double)now_ns() / 1e9;
}

/* What is left until a time of now(): a millisecond at least, as 0 has meanings of its own. */
static struct timeval until(double deadline)
{
	double left = deadline - now();

	if (left < 0.001)
		left = 0.001;
	return (struct timeval){ (time_t)left, (suseconds_t)((left - (double)(time_t)left) * 1e6) };
}

/* connect(2) by a deadline; 0 or -1 and errno. */
static int connect_by(int fd, struct place *p, double deadline)
{
	struct pollfd ready = { .fd = fd, .events = POLLOUT };
	struct timeval left;
	int error, n;
	socklen_t size = sizeof(error);

	fcntl(fd, F_SETFL, O_NONBLOCK);
	/* A Unix socket whose queue is full says EAGAIN, and no poll tells when it is not. */
	while ((error = connect(fd, &p->any, p->size) ? errno : 0) == EAGAIN && now() < deadline)
		nanosleep(&(struct timespec){ .tv_nsec = 10 * 1000 * 1000 }, NULL);
	if (error == EINPROGRESS) {
		do {
			left = until(deadline);
			n = poll(&ready, 1, (int)(left.tv_sec * 1000 + left.tv_usec / 1000 + 1));
		} while (n == -1 && errno == EINTR);
		if (n == 0)
			error = ETIMEDOUT;
		else
			getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
	}
	fcntl(fd, F_SETFL, 0);
	errno = error == EAGAIN ? ETIMEDOUT : error;
	return error ? -1 : 0;
}

/* A socket connected to a place; -1 and errno if nobody is there. */
static int connected(enum transport t, struct place *p, double deadline)
{
	int fd = socket(p->any.sa_family, (t == UDP ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0), saved;

	if (fd == -1 || connect_by(fd, p, deadline) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

/* A handle for calls that each have until the deadline. NULL and errno if nobody is there. */
static CLIENT *reach(enum transport t, struct place p, unsigned prog, unsigned vers, double deadline)
{
	struct netbuf to = { sizeof(p), p.size, &p };
	struct timeval left, retry = { 1, 0 };
	int fd = connected(t, &p, deadline);
	CLIENT *c;

	if (fd == -1)
		return NULL;
	c = t == UDP ? clnt_dg_create(fd, &to, prog, vers, 0, 0) : clnt_vc_create(fd, &to, prog, vers, 0, 0);
	if (!c)
		die("%s", clnt_spcreateerror("a client handle"));
	clnt_control(c, CLSET_FD_CLOSE, NULL);
	left = until(deadline);
	clnt_control(c, CLSET_TIMEOUT, (char *)&left);
	if (t == UDP)
		clnt_control(c, CLSET_RETRY_TIMEOUT, (char *)&retry);
	return c;
}

/* Asks rpcbind at a host for a port: 0 if it knows none, -1 and errno if there is no rpcbind. */
static inline int registered(struct in_addr host, unsigned prog, unsigned vers, enum transport t, double deadline)
{
	struct pmap wanted = { prog, vers, t == UDP ? IPPROTO_UDP : IPPROTO_TCP, 0 };
	u_short port = 0;
	CLIENT *c = reach(TCP, at_port(host, PMAPPORT), PMAPPROG, PMAPVERS, deadline);
	enum clnt_stat stat;

	if (!c)
		return -1;
	stat = clnt_call(c, PMAPPROC_GETPORT, (xdrproc_t)xdr_pmap, (char *)&wanted, (xdrproc_t)xdr_u_short,
		(char *)&port, until(deadline));
	clnt_destroy(c);
	if (stat != RPC_SUCCESS) {
		errno = stat == RPC_TIMEDOUT ? ETIMEDOUT : EPROTO;
		return -1;
	}
	return port;
}

#endif
