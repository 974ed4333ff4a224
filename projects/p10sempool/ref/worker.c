/* worker: takes a connection of the pool, keeps it for a while, and gives it back. */
#include "backend.h"
#include "lease.h"

static const char *text;

/* Asks the manager once for the connection's descriptor: -1, and why not. */
static int ask(uint32_t slot, char why[static 128])
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	struct request r = {LEND, entry - pool->table, slot, entry->serial};
	struct answer a;
	pid_t pid, manager;
	int fd = -1;
	lock();
	size_t len = strnlen(pool->address, sizeof pool->address);
	memcpy(to.sun_path + 1, pool->address, len);
	manager = pool->manager;
	unlock();
	int s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct timeval limit = {.tv_sec = 5};
	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	if (s < 0 || connect(s, (struct sockaddr *)&to, offsetof(struct sockaddr_un, sun_path) + 1 + len) != 0)
		snprintf(why, 128, "manager %d: %s", manager, strerror(errno));
	else if (!same_user(s, &pid) || pid != manager)
		snprintf(why, 128, "who answers is not manager %d", manager);
	else if (send(s, &r, sizeof r, MSG_NOSIGNAL) != sizeof r || receive_answer(s, &a, &fd) != sizeof a)
		snprintf(why, 128, "manager %d has not answered", manager);
	else if (a.status || fd < 0)
		snprintf(why, 128, "%.*s", (int)sizeof a.text, a.text);
	close(s);
	return fd;
}

/* Gets the descriptor, from the next manager if this one dies. */
static int borrow(uint32_t slot, uint64_t deadline)
{
	char why[128] = "";
	for (;;) {
		int fd = ask(slot, why);
		if (fd >= 0)
			return fd;
		if (signalled || now_ns() >= deadline)
			break;
		nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
	}
	if (!signalled)
		fprintf(stderr, "worker: worker %u: connection %u: %s\n", me, slot + 1, why);
	give_up();
}

/* Sends the text as a line and shows the line that comes back. */
static void converse(int fd)
{
	char line[1024];
	size_t len = 0;
	struct timeval limit = {.tv_sec = timeout / SECOND + 1};
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	bool sent = send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text) &&
		send(fd, "\r\n", 2, MSG_NOSIGNAL) == 2;
	errno = sent ? 0 : errno;
	while (sent && len < sizeof line - 1 && recv(fd, line + len, 1, 0) == 1 && line[len] != '\n')
		len++;
	limit.tv_sec = 0;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	if (!sent || line[len] != '\n') {
		if (!signalled)
			fprintf(stderr, "worker: worker %u: connection: %s\n", me,
				errno ? strerror(errno) : "no line came back");
		give_up();
	}
	line[len] = '\0';
	line[strcspn(line, "\r")] = '\0';
	say("%s -> %s", text, line);
}

static void use(void)
{
	uint64_t deadline = pool->lends ? now_ns() + timeout : 0;
	uint32_t slot = acquire();
	pool->slot[slot].uses++; /* without the lock: nobody else has this connection */
	int fd = pool->lends ? borrow(slot, deadline) : -1;
	if (text)
		converse(fd);
	if (hold)
		until = at(now_ns() + hold);
	while (hold && !signalled && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		;
	if (signalled)
		give_up();
	if (fd >= 0)
		close(fd);
	release();
}

static void work(long count)
{
	uint64_t patience = now_ns() + (timeout < SECOND ? timeout : SECOND);
	const char *why;
	while ((why = join()) && now_ns() < patience && !signalled)
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL); /* the manager may be starting */
	if (why)
		die("pool %s: %s", name, why);
	if (text && !pool->lends) {
		fprintf(stderr, "worker: pool %s has no connections to send on, only slots\n", name);
		give_up();
	}
	uint64_t start = now_ns();
	use();
	quiet |= count > 1;
	for (long i = 1; i < count; i++)
		use();
	quiet = false;
	double elapsed = seconds(now_ns() - start);
	if (count > 1)
		say("%ld connections in %.3f s, %.0f per second", count, elapsed, count / elapsed);
	uint32_t remaining;
	leave(&pool->completed, &remaining);
}

static uint64_t span(const char *flag, const char *value, bool zero)
{
	char *end;
	double s = strtod(value, &end);
	if (end == value || *end || !(s <= 1e9) || !(zero ? s >= 0 : s > 0))
		bad_usage("%s is a number of seconds%s, not \"%s\"", flag, zero ? "" : " above 0", value);
	return s * 1e9;
}

static void help(void)
{
	puts("usage: worker [flags] N\n"
	     "\n"
	     "Takes a connection of the pool, waits for one if none is free, keeps it for a while\n"
	     "and gives it back. N is the worker's number, for its messages.\n"
	     "\n"
	     "flags:\n"
	     "  -h, --help              show this help\n"
	     "      --name string       name of the pool (default \"" DEFAULT_NAME "\")\n"
	     "      --timeout seconds   how many seconds to wait for a connection (default 30)\n"
	     "      --clock string      clock of the timeout: monotonic, or realtime, which can be set (default \"monotonic\")\n"
	     "      --hold seconds      how many seconds to keep the connection (default 1)\n"
	     "      --send text         send a text as a line on the connection, and show the line that comes back\n"
	     "      --count number      take a connection this number of times, and tell how fast (default 1)\n"
	     "\n"
	     "example:\n"
	     "  worker 1\n"
	     "  for i in 1 2 3 4 5 6 7 8 9 10; do worker $i & done\n"
	     "  worker --hold 0 --send PING 1");
	exit(0);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"help", no_argument, NULL, 'h'},
		{"name", required_argument, NULL, 'n'}, {"timeout", required_argument, NULL, 't'},
		{"clock", required_argument, NULL, 'c'}, {"hold", required_argument, NULL, 'o'},
		{"send", required_argument, NULL, 's'}, {"count", required_argument, NULL, 'r'}, {0}};
	long count = 1;
	int option;
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'h': help(); break;
		case 'n': name = pool_name(optarg); break;
		case 't': timeout = span("--timeout", optarg, false); break;
		case 'o': hold = span("--hold", optarg, true); break;
		case 's': text = optarg; break;
		case 'r': count = number("--count", optarg, 1, 1000000000); break;
		case 'c':
			real_time = !strcmp(optarg, "realtime");
			if (!real_time && strcmp(optarg, "monotonic"))
				bad_usage("--clock is monotonic or realtime, not \"%s\"", optarg);
			break;
		default: try_help();
		}
	}
	if (argc - optind != 1)
		bad_usage("wants one number, got %d arguments", argc - optind);
	me = number("the worker's number", argv[optind], 0, 999999999);
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < 2; i++) {
		struct sigaction action, catch = {.sa_handler = on_signal}; /* no SA_RESTART */
		sigaction(i ? SIGINT : SIGTERM, NULL, &action);
		if (action.sa_handler != SIG_IGN)
			sigaction(i ? SIGINT : SIGTERM, &catch, NULL);
	}
	work(count);
	if (fflush(stdout) || ferror(stdout))
		die("write standard output: %s", strerror(errno));
	return 0;
}
