/* calc_server: a calculator as a Sun RPC program, over TCP, UDP and Unix sockets. */
#include "registration.h"

static const char *path;
static long port = -1; /* -1: any, and registered with rpcbind */
static long max_connections = 1000, max_record = 64 * 1024;
static double idle = 300;

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
	if (!x || !svc_reg(x, prog, CALC_VERS, calc_prog_1, NULL) || !svc_reg(x, prog, CALC_VERS2, calc_prog_2, NULL))
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
			if (time - last[fds[i].fd] > idle)
				shutdown(fds[i].fd, SHUT_RDWR);
		}
		for (int i = 0; i < n && connections >= max_connections; i++)
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

static _Noreturn void help(void)
{
	puts("usage: calc_server [flags]\n"
	     "\n"
	     "Serves program 0x31230000 of calc.x, versions 1 and 2, until SIGINT or SIGTERM, and is\n"
	     "registered with rpcbind for as long, unless --port says where it is.\n"
	     "\n"
	     "flags:\n"
	     "  -h, --help                  show this help\n"
	     "      --transport name        tcp, udp or unix, or several with commas between (default tcp,udp)\n"
	     "      --port number           serve at this port and do not register\n"
	     "      --path file             serve at this Unix socket, for --transport unix\n"
	     "      --bind address          serve at this IPv4 address only (default 0.0.0.0)\n"
	     "      --prog number           serve as another program (default 0x31230000)\n"
	     "      --max-connections n     so many at once, the others wait (default 1000)\n"
	     "      --max-record bytes      drop who sends a longer call (default 65536)\n"
	     "      --idle seconds          drop who sends nothing for so long (default 300)\n"
	     "\n"
	     "example:\n"
	     "  calc_server --transport tcp --port 5001 --bind 127.0.0.1");
	exit(0);
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "help", no_argument, NULL, 'h' }, { "transport", required_argument, NULL, 't' },
		{ "port", required_argument, NULL, 'p' }, { "path", required_argument, NULL, 'f' },
		{ "bind", required_argument, NULL, 'b' }, { "prog", required_argument, NULL, 'g' },
		{ "max-connections", required_argument, NULL, 'c' }, { "max-record", required_argument, NULL, 'r' },
		{ "idle", required_argument, NULL, 'i' }, { 0 } };
	char tcp_udp[] = "tcp,udp", *list = tcp_udp;
	bool wanted[TRANSPORTS] = { false }, registers;
	sigset_t signals, unblocked;
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'h': help();
		case 't': list = optarg; break;
		case 'p': port = (long)number(optarg, "--port", 1, 65535); break;
		case 'f': path = optarg; break;
		case 'b':
			if (!inet_aton(optarg, &address))
				bad_usage("--bind: %s is no IPv4 address", optarg);
			break;
		case 'g': prog = (unsigned)number(optarg, "--prog", 1, UINT_MAX); break;
		case 'c': max_connections = (long)number(optarg, "--max-connections", 1, 60000); break;
		case 'r': max_record = (long)number(optarg, "--max-record", 256, 1 << 20); break;
		case 'i': idle = seconds(optarg, "--idle"); break;
		default: bad_usage("wrong flags");
		}
	}
	if (optind < argc)
		bad_usage("takes no arguments");
	for (char *name = strtok(list, ","); name; name = strtok(NULL, ","))
		wanted[transport_named(name)] = true;
	if (!wanted[TCP] && !wanted[UDP] && !wanted[UNIX])
		bad_usage("--transport: at least one");
	if (wanted[UNIX] != !!path)
		bad_usage("--path and --transport unix go together");

	sigemptyset(&signals);
	for (int i = 0; i < 2; i++) {
		const int signo = (const int[]){ SIGINT, SIGTERM }[i];
		struct sigaction old;

		if (sigaction(signo, NULL, &old) == 0 && old.sa_handler == SIG_IGN)
			continue;
		sigaction(signo, &(struct sigaction){ .sa_handler = on_signal }, NULL);
		sigaddset(&signals, signo);
	}
	sigprocmask(SIG_BLOCK, &signals, &unblocked);
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);

	/* It also makes connections non-blocking: who sends half a record keeps nobody waiting. */
	rpc_control(RPC_SVC_CONNMAXREC_SET, &(int){ (int)max_record });
	registers = port < 0 && (wanted[TCP] || wanted[UDP]);
	if (registers)
		look_for_living();
	for (enum transport t = TCP; t < TRANSPORTS; t++)
		if (wanted[t])
			open_transport(t);
	if (registers)
		enter();
	for (enum transport t = TCP; t < TRANSPORTS; t++)
		if (wanted[t] && t == UNIX)
			printf("Serving program 0x%x at %s\n", prog, path);
		else if (wanted[t] && port > 0)
			printf("Serving program 0x%x at %s port %u\n", prog, names[t], ours[t].port);
	serve(&unblocked);
	if (registers)
		for (unsigned v = CALC_VERS; v <= CALC_VERS2; v++)
			rpcb_unset(prog, v, NULL);
	if (path)
		unlink(path);
	return 0;
}
