/* How client and server reach a program: transports, rpcbind, and a deadline for it all. */
#ifndef REACH_H
#define REACH_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <netdb.h>
#include <poll.h>
#include <rpc/rpc.h>
#include <rpc/pmap_prot.h>
#include <rpc/rpc_com.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

extern const char program[];

static _Noreturn __attribute__((format(printf, 1, 2))) void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fflush(stdout);
	fprintf(stderr, "%s: ", program);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	exit(1);
}

static _Noreturn __attribute__((format(printf, 1, 2))) void bad_usage(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (*format) {
		fprintf(stderr, "%s: ", program);
		vfprintf(stderr, format, args);
		fputc('\n', stderr);
	}
	fprintf(stderr, "Try '%s --help'.\n", program);
	exit(2);
}

/* A whole number between two others, else wrong usage. */
static long long number(const char *text, const char *name, long long least, long long most)
{
	char *end;
	long long n;

	errno = 0;
	n = strtoll(text, &end, 0);
	if (end == text || *end || errno || n < least || n > most)
		bad_usage("%s: %s is not between %lld and %lld", name, text, least, most);
	return n;
}

static double seconds(const char *text, const char *name)
{
	char *end;
	double s = strtod(text, &end);

	if (end == text || *end || !(s > 0 && s <= INT_MAX))
		bad_usage("%s must be more than 0 seconds", name);
	return s;
}

enum transport { TCP, UDP, UNIX, TRANSPORTS };

static const char *const names[] = { "tcp", "udp", "unix" };

static enum transport transport_named(const char *text)
{
	for (int t = 0; t < TRANSPORTS; t++)
		if (strcmp(text, names[t]) == 0)
			return (enum transport)t;
	bad_usage("--transport: %s is not tcp, udp or unix", text);
}

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
		bad_usage("--path: longer than %zu bytes", sizeof(p.un.sun_path) - 1);
	strcpy(p.un.sun_path, path);
	return p;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
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

/* A handle for calls that each have until the deadline. NULL and errno if nobody is there. */
static CLIENT *reach(enum transport t, struct place p, unsigned prog, unsigned vers, double deadline)
{
	struct netbuf to = { sizeof(p), p.size, &p };
	struct timeval left, retry = { 1, 0 };
	int fd = socket(p.any.sa_family, (t == UDP ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0), saved;
	CLIENT *c;

	if (fd == -1 || connect_by(fd, &p, deadline) == -1) {
		saved = errno;
		close(fd);
		errno = saved;
		return NULL;
	}
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
static int registered(struct in_addr host, unsigned prog, unsigned vers, enum transport t, double deadline)
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
