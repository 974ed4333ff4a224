/* The server's sockets, and what it does until it is told to end. */
#ifndef SERVE_H
#define SERVE_H

#include "../../p16rpccalc/ref/registration.h"

static const char *path;
static long port = -1; /* -1: any, and registered with rpcbind */

/* Dispatchers that ask who calls. */
static void guarded_1(struct svc_req *call, SVCXPRT *x);
static void guarded_2(struct svc_req *call, SVCXPRT *x);

/* The socket's file of a server that was killed is still there, but nobody listens. */
static void remove_stale(struct place *p)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct stat st;

	if (lstat(path, &st) == 0 && !S_ISSOCK(st.st_mode))
		die("%s: there is a file that is no socket", path);
	if (connect(fd, &p->any, p->size) == 0 || errno == EAGAIN)
		die("%s: a server is listening there", path);
	if (errno == ECONNREFUSED && unlink(path) == -1)
		die("remove %s: %s", path, strerror(errno));
	close(fd);
}

static void open_transport(enum transport t)
{
	struct place p = t == UNIX ? at_path(path) : at_port(address, port > 0 ? (unsigned)port : 0);
	int fd = socket(p.any.sa_family, (t == UDP ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0), on = 1;
	SVCXPRT *x;

	if (t == UNIX) {
		remove_stale(&p);
		umask(0177);
	} else if (t == TCP) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	}
	if (bind(fd, &p.any, p.size) == -1 || (t != UDP && listen(fd, SOMAXCONN) == -1)) {
		if (t == UNIX)
			die("listen %s: %s", path, strerror(errno));
		die("%s port %ld: %s", names[t], port, strerror(errno));
	}
	getsockname(fd, &p.any, &p.size);
	x = t == UDP ? svc_dg_create(fd, 0, 0) : svc_vc_create(fd, 0, 0);
	if (!x || !svc_reg(x, prog, CALC_VERS, guarded_1, NULL) || !svc_reg(x, prog, CALC_VERS2, guarded_2, NULL))
		die("%s: cannot make a service", names[t]);
	ours[t].port = t == UNIX ? 0 : ntohs(p.in.sin_port);
}

static volatile sig_atomic_t stop;

static void on_signal(int signo)
{
	(void)signo;
	stop = 1;
}

static void serve(const sigset_t *unblocked)
{
	while (!stop) {
		struct pollfd fds[svc_max_pollfd + 1];
		int n = svc_max_pollfd, ready;

		memcpy(fds, svc_pollfd, (size_t)n * sizeof(*fds));
		ready = ppoll(fds, (nfds_t)n, NULL, unblocked);
		if (ready == -1 && errno != EINTR)
			die("poll: %s", strerror(errno));
		if (ready > 0)
			svc_getreq_poll(fds, ready);
	}
}

static void prepare_signals(sigset_t *unblocked)
{
	sigset_t signals;

	sigemptyset(&signals);
	for (int i = 0; i < 2; i++) {
		const int signo = (const int[]){ SIGINT, SIGTERM }[i];
		struct sigaction before;

		if (sigaction(signo, NULL, &before) == 0 && before.sa_handler == SIG_IGN)
			continue;
		sigaction(signo, &(struct sigaction){ .sa_handler = on_signal }, NULL);
		sigaddset(&signals, signo);
	}
	sigprocmask(SIG_BLOCK, &signals, unblocked);
	signal(SIGPIPE, SIG_IGN);
}

#endif
