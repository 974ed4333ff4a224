/* pool_manager: makes a pool of connections, and gives back what dead workers held. */
#include <sys/resource.h>
#include <sys/signalfd.h>

#include "claim.h"
#include "lend.h"
#include "watch.h"

#define TICK_MS 100

/* Sleeps until something happens. Returns the signal that is to end the program, 0: none. */
static int wait_for_events(FILE *log, int signals)
{
	static struct pollfd on[2 + CLIENTS + ENTRIES];
	on[0] = (struct pollfd){signals, POLLIN, 0};
	on[1] = (struct pollfd){client_count < CLIENTS ? listener : -1, POLLIN, 0};
	nfds_t n = 2;
	int asked = client_count;
	for (int i = 0; i < asked; i++)
		on[n++] = (struct pollfd){clients[i], POLLIN, 0};
	for (int i = 0; i < ENTRIES; i++)
		if (watched[i].pidfd >= 0)
			on[n++] = (struct pollfd){watched[i].pidfd, POLLIN, 0};
	poll(on, n, TICK_MS);
	struct signalfd_siginfo info;
	if (on[0].revents && read(signals, &info, sizeof info) == sizeof info)
		return info.ssi_signo;
	for (int i = 0; i < asked; i++) {
		if (on[2 + i].revents) {
			serve(log, i);
			break;
		}
	}
	if (on[1].revents)
		accept_worker();
	return 0;
}

/*
 * Prints what was written to *log, which nobody does with the lock: a standard output that
 * blocks keeps no worker waiting. Returns whether that went well.
 */
static bool print(FILE **log, bool last)
{
	static char *text;
	static size_t size;
	bool ok = true;
	if (*log && ftell(*log) == 0 && !last)
		return true;
	if (*log) {
		fclose(*log);
		ok = fputs(text, stdout) >= 0 && fflush(stdout) == 0;
		free(text);
	}
	*log = last ? NULL : open_memstream(&text, &size);
	if (!*log && !last)
		die("out of memory");
	return ok;
}

/* SIGINT and SIGTERM, unless ignored as in the background of a script. */
static int stop_signals(void)
{
	sigset_t set;
	sigemptyset(&set);
	for (int i = 0; i < 2; i++) {
		struct sigaction action;
		sigaction(i ? SIGINT : SIGTERM, NULL, &action);
		if (action.sa_handler != SIG_IGN)
			sigaddset(&set, i ? SIGINT : SIGTERM);
	}
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int run(uint32_t slots, uint64_t workers)
{
	pid_t before = 0;
	FILE *log = NULL;
	bool all = true, ok = true;
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) { /* one for each worker and connection */
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	int signals = stop_signals();
	bool taken_over = claim(slots, backend != NULL, &before);
	print(&log, false);
	lock();
	pool->manager = getpid();
	started(getpid(), &pool->manager_started);
	unlock();
	for (int i = 0; i < ENTRIES; i++)
		watched[i].pidfd = -1;
	for (uint32_t k = 0; k < slots; k++)
		connections[k] = -1;
	if (backend) {
		listen_for_workers();
		for (uint32_t k = 0; k < slots; k++) {
			const char *why = pool->slot[k].holder ? NULL : open_connection(k);
			if (why && !taken_over)
				close_pool();
			if (why)
				die("%s", why);
		}
	}
	fprintf(log, "Pool manager started (%u connections available)\n", pool->free);
	if (taken_over)
		fprintf(log, "Taking over the pool of manager %d, which is dead: %u of %u connections are lent\n", before,
			slots - pool->free, slots);
	bool done = false;
	int sig = 0;
	while (ok && !done && !sig) {
		ok = print(&log, false);
		sig = wait_for_events(log, signals);
		done = inspect(log, workers, &all);
	}
	if (!done && pool->seen != told.seen) {
		lock();
		report(log);
		unlock();
	}
	close_pool();
	ok = print(&log, true) && ok;
	if (!ok)
		die("write standard output: %s", strerror(errno));
	return done && !all;
}

static void status(void)
{
	const char *why = attach();
	if (why)
		die("pool %s: %s", name, why);
	lock();
	printf("Pool %s: %u connections, %u available, %u lent, %u workers waiting\n", name, pool->slots, pool->free,
		pool->slots - pool->free, pool->waiting);
	printf("Manager: process %d (%s)\n", pool->manager,
		is_process(pool->manager, pool->manager_started) ? "running" : "dead");
	uint64_t t = now_ns();
	for (uint32_t i = 0; i < ENTRIES; i++) {
		const struct entry *e = &pool->table[i];
		if (e->state == HOLDING)
			printf("Connection %u: worker %u (process %d) for %.1f s\n", e->slot + 1, e->worker, e->pid,
				seconds(t - e->since));
	}
	for (uint32_t i = 0; i < ENTRIES; i++) {
		const struct entry *e = &pool->table[i];
		if (e->state == WAITING || e->state == GRANTED)
			printf("Waiting: worker %u (process %d) for %.1f s\n", e->worker, e->pid, seconds(t - e->since));
	}
	printf("Lent %" PRIu64 " times, released %" PRIu64 ", given back for the dead %" PRIu64 ", timeouts %" PRIu64 "\n",
		pool->lent, pool->released, pool->reclaimed, pool->gave_up);
	printf("Order: %" PRIu64 " of %" PRIu64 " overtook one that had waited longer; longest wait %.3f s\n",
		pool->overtaken, pool->lent, seconds(pool->longest_wait));
	unlock();
	if (fflush(stdout) || ferror(stdout))
		die("write standard output: %s", strerror(errno));
}

static void help(void)
{
	puts("usage: pool_manager [flags]\n"
	     "\n"
	     "Makes a pool of connections in shared memory and looks after it until SIGINT or SIGTERM:\n"
	     "what a dead worker held is given back. The pool of a dead manager is taken over.\n"
	     "\n"
	     "flags:\n"
	     "  -h, --help                    show this help\n"
	     "      --max-connections number  how many workers can have one at once (default 5)\n"
	     "      --name string             name of the pool (default \"" DEFAULT_NAME "\")\n"
	     "      --workers number          end when this many workers have come and gone\n"
	     "      --connect address         lend connections to tcp://HOST:PORT or unix:///PATH\n"
	     "      --ping text               before lending, send a text as a line: a line must come back\n"
	     "      --status                  show who holds and who waits, and end\n"
	     "\n"
	     "example:\n"
	     "  pool_manager --max-connections=5 &\n"
	     "  pool_manager --connect tcp://127.0.0.1:6379 --ping PING\n"
	     "  pool_manager --status");
	exit(0);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"help", no_argument, NULL, 'h'},
		{"max-connections", required_argument, NULL, 'm'}, {"name", required_argument, NULL, 'n'},
		{"workers", required_argument, NULL, 'w'}, {"connect", required_argument, NULL, 'c'},
		{"ping", required_argument, NULL, 'p'}, {"status", no_argument, NULL, 's'}, {0}};
	uint32_t slots = 5;
	uint64_t workers = 0;
	bool show = false;
	int option;
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'h': help(); break;
		case 'm': slots = number("--max-connections", optarg, 1, MAX_SLOTS); break;
		case 'n': name = pool_name(optarg); break;
		case 'w': workers = number("--workers", optarg, 1, 1000000000); break;
		case 'c': backend = optarg; break;
		case 'p': ping = optarg; break;
		case 's': show = true; break;
		default: try_help();
		}
	}
	if (optind < argc)
		bad_usage("takes no arguments");
	if (ping && (!backend || strlen(ping) > 500))
		bad_usage("--ping is at most 500 bytes and wants --connect");
	signal(SIGPIPE, SIG_IGN);
	if (show) {
		status();
		return 0;
	}
	if (backend)
		resolve();
	return run(slots, workers);
}
