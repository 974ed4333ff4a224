/* The server's sockets, and what it does until it is told to end. */
#ifndef SERVE_H
#define SERVE_H

#include "registration.h"

/* What is called for the calls of a version. */
typedef void dispatcher(struct svc_req *, SVCXPRT *);

/* Where it is to be, and how much it bears. */
static struct {
	bool wanted[TRANSPORTS];
	const char *path;
	long port; /* 0: any, and registered with rpcbind */
	long max_connections, max_record;
	double idle;
} service = { .max_connections = 1000, .max_record = 64 * 1024, .idle = 300 };

/* Names with commas between; to be called when the path is known. */
static void choose_transports(char *list)
{
	for (char *name = strtok(list, ","); name; name = strtok(NULL, ","))
		service.wanted[transport_named(name)] = true;
	if (!service.wanted[TCP] && !service.wanted[UDP] && !service.wanted[UNIX])
		bad_usage("--transport: at least one");
	if (service.wanted[UNIX] != !!service.path)
		bad_usage("--path and --transport unix go together");
}

/* The socket's file of a server that was killed is still there, but nobody listens. */
static void remove_stale(struct place *p)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct stat st;

	if (lstat(service.path, &st) == 0 && !S_ISSOCK(st.st_mode))
		die("%s: there is a file that is no socket", service.path);
	if (connect(fd, &p->any, p->size) == 0 || errno == EAGAIN)
		die("%s: a server is listening there", service.path);
	if (errno == ECONNREFUSED && unlink(service.path) == -1)
		die("remove %s: %s", service.path, strerror(errno));
	close(fd);
}

static void open_transport(enum transport t, dispatcher *version_1, dispatcher *version_2)
{
	struct place p = t == UNIX ? at_path(service.path) : at_port(address, (unsigned)service.port);
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
			die("listen %s: %s", service.path, strerror(errno));
		die("%s port %ld: %s", names[t], service.port, strerror(errno));
	}
	getsockname(fd, &p.any, &p.size);
	x = t == UDP ? svc_dg_create(fd, 0, 0) : svc_vc_create(fd, 0, 0);
	if (!x || !svc_reg(x, prog, CALC_VERS, version_1, NULL) || !svc_reg(x, prog, CALC_VERS2, version_2, NULL))
		die("%s: cannot make a service", names[t]);
	ours[t].fd = fd;
	ours[t].port = t == UNIX ? 0 : ntohs(p.in.sin_port);
}

static volatile sig_atomic_t stop;

static void on_signal(int signo)
{
	(void)signo;
	stop = 1;
}

/* SIGINT and SIGTERM, unless ignored, are blocked but for where the server waits. */
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
			if (time - last[fds[i].fd] > service.idle)
				shutdown(fds[i].fd, SHUT_RDWR);
		}
		for (int i = 0; i < n && connections >= service.max_connections; i++)
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

/* Serves until a signal, and tells where. */
static void run(dispatcher *version_1, dispatcher *version_2)
{
	bool registers = !service.port && (service.wanted[TCP] || service.wanted[UDP]);
	sigset_t unblocked;

	prepare_signals(&unblocked);
	setvbuf(stdout, NULL, _IOLBF, 0);
	/* It also makes connections non-blocking: who sends half a record keeps nobody waiting. */
	rpc_control(RPC_SVC_CONNMAXREC_SET, &(int){ (int)service.max_record });
	if (registers)
		look_for_living();
	for (enum transport t = TCP; t < TRANSPORTS; t++)
		if (service.wanted[t])
			open_transport(t, version_1, version_2);
	if (registers)
		enter();
	for (enum transport t = TCP; t < TRANSPORTS; t++)
		if (service.wanted[t] && t == UNIX)
			printf("Serving program 0x%x at %s\n", prog, service.path);
		else if (service.wanted[t] && service.port)
			printf("Serving program 0x%x at %s port %u\n", prog, names[t], ours[t].port);
	serve(&unblocked);
	for (unsigned v = CALC_VERS; registers && v <= CALC_VERS2; v++)
		rpcb_unset(prog, v, NULL);
	if (service.path)
		unlink(service.path);
}

#endif
