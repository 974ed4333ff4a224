/*
 * producer_consumer - producers and consumers at one bounded buffer.
 *
 *	producer_consumer --producers=3 --consumers=2 --buffer-size=10 --items=1000
 */
#include <getopt.h>
#include <signal.h>
#include <sys/wait.h>

#include "object.h"
#include "options.h"

#define MS 1000000L

static struct {
	long count[2], capacity, items, guests, member;
	enum variant variant;
	bool quiet, processes, spurious;
	const char *name;
} o = { .count = { 3, 2 }, .capacity = 10, .items = 1000, .member = -1 };

static struct part part[MAX_MEMBERS];
static pthread_t thread[MAX_MEMBERS];
static bool reaped[MAX_MEMBERS];
static struct buffer *buffer;
static int fd = -1;
static volatile sig_atomic_t interrupted_by;

static void help(void)
{
	puts("usage: producer_consumer [flags] \n\n"
	     "Producers put items into a bounded buffer and consumers take them out, with one mutex\n"
	     "and two condition variables. At the end it checks that every item was consumed once\n"
	     "and in its producer's order.\n\n"
	     "flags:\n"
	     "  -h, --help              show this help\n"
	     "      --producers int     how many produce (default 3)\n"
	     "      --consumers int     how many consume (default 2)\n"
	     "      --buffer-size int   items that the buffer holds (default 10)\n"
	     "      --items int         items in all (default 1000)\n"
	     "      --quiet             print no line for an item\n"
	     "      --variant string    while; or if, signal, broadcast: see the README (default \"while\")\n"
	     "      --spurious          wake all that wait every millisecond, for no reason\n"
	     "      --processes         every producer and consumer is a process\n"
	     "      --name string       name of the shared memory, for pc_join\n"
	     "      --guests int        producers and consumers that join from elsewhere before it begins\n\n"
	     "example:\n"
	     "  producer_consumer --producers=3 --consumers=2 --buffer-size=10 --items=1000\n"
	     "  producer_consumer --variant=if --spurious --quiet");
	exit(0);
}

static void parse(int argc, char **argv)
{
	static const struct option flags[] = {
		{ "help", no_argument, NULL, 'h' }, { "producers", required_argument, NULL, 'p' },
		{ "consumers", required_argument, NULL, 'c' }, { "buffer-size", required_argument, NULL, 'b' },
		{ "items", required_argument, NULL, 'i' }, { "quiet", no_argument, NULL, 'q' },
		{ "variant", required_argument, NULL, 'v' }, { "spurious", no_argument, NULL, 's' },
		{ "processes", no_argument, NULL, 'm' }, { "name", required_argument, NULL, 'n' },
		{ "guests", required_argument, NULL, 'g' }, { "member", required_argument, NULL, 'M' }, { 0 },
	};
	static const char *const variants[] = { "while", "if", "signal", "broadcast" };
	const char *me = "producer_consumer";
	int flag, v;

	while ((flag = getopt_long(argc, argv, "h", flags, NULL)) != -1) {
		switch (flag) {
		case 'h': help(); break;
		case 'p': o.count[PRODUCER] = number(me, "producers", optarg, 0, 500); break;
		case 'c': o.count[CONSUMER] = number(me, "consumers", optarg, 0, 500); break;
		case 'b': o.capacity = number(me, "buffer-size", optarg, 1, 1000000); break;
		case 'i': o.items = number(me, "items", optarg, 0, 1000000000); break;
		case 'g': o.guests = number(me, "guests", optarg, 0, 24); break;
		case 'M': o.member = number(me, "member", optarg, 0, MAX_MEMBERS - 1); break;
		case 'q': o.quiet = true; break;
		case 's': o.spurious = true; break;
		case 'm': o.processes = true; break;
		case 'n': o.name = optarg; break;
		case 'v':
			for (v = 0; v < 4 && strcmp(variants[v], optarg) != 0; v++)
				;
			if (v == 4)
				bad_usage(me, "variant", optarg);
			o.variant = (enum variant)v;
			break;
		default: exit(2);
		}
	}
	if (optind != argc)
		bad_usage(me, "items", argv[optind]);
	if (o.guests == 0 && o.count[PRODUCER] == 0)
		bad_usage(me, "producers", "0");
	if (o.guests == 0 && o.count[CONSUMER] == 0)
		bad_usage(me, "consumers", "0");
	if (o.guests > 0 && o.name == NULL)
		bad_usage(me, "name", "");
}

static int fail(const char *what, int error)
{
	fprintf(stderr, "producer_consumer: %s: %s\n", what, strerror(error));
	return 1;
}

static void *run(void *p)
{
	take_part(p);
	return NULL;
}

/* The member is started: as a thread, or as this program again. */
static int start(int me)
{
	char member[16];

	part[me] = (struct part){ buffer, me, o.quiet };
	if (!o.processes)
		return pthread_create(&thread[me], NULL, run, &part[me]);
	snprintf(member, sizeof(member), "%d", me);
	pid_t pid = fork();
	if (pid == 0) {
		/* Ctrl-C is for the owner alone, who ends the run. */
		sigset_t none;
		signal(SIGINT, SIG_IGN);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		execl("/proc/self/exe", "producer_consumer", "--member", member, "--name", o.name,
		      o.quiet ? "--quiet" : NULL, NULL);
		_exit(127);
	}
	buffer->member[me].pid = pid;
	return pid == -1 ? errno : 0;
}

/* Lets the run begin when all are there, and waits for its end. Under the mutex. */
static void attend(long expected)
{
	struct buffer *b = buffer;
	int empty = condition(b, NOT_EMPTY), after_stop = 0;
	bool disturbed = false;

	while (b->present > 0 || !b->begun) {
		if (!b->begun && b->members == expected && (!o.spurious || (disturbed && b->woken[empty] == 0))) {
			b->begun = 1;
			wake_all(b);
		} else if (o.spurious && (b->begun || (!disturbed && b->waiting[empty] >= o.count[CONSUMER]))) {
			/* The first time is while the buffer is empty and all consumers wait. */
			disturbed = true;
			wake_all(b);
		}
		int error = wait_for(b, CHANGED, o.spurious ? MS : SECOND / 10);
		if (interrupted_by)
			stop_run(b, INTERRUPTED);
		/* One that was stopped by SIGSTOP does not leave. */
		if (b->stop != GOES_ON && (!b->begun || (error == ETIMEDOUT && ++after_stop > 50)))
			break;
	}
}

/* The verdict: 0 or 1. */
static int report(void)
{
	struct buffer *b = buffer;
	int64_t missing = b->items;

	for (int64_t i = 0; i <= b->items / 64; i++)
		missing -= __builtin_popcountll(seen_bits(b)[i]);
	printf("\nStatistics:\n  Total produced: %lld\n  Total consumed: %lld\n"
	       "  Buffer empty waits: %lld\n  Buffer full waits: %lld\n\n",
	       (long long)b->produced, (long long)b->consumed,
	       (long long)b->waits[NOT_EMPTY], (long long)b->waits[NOT_FULL]);
	if (b->stop == GOES_ON && b->produced == b->items && b->consumed == b->items &&
	    missing + b->twice + b->strange + b->disorder == 0) {
		puts("PASS: All items produced and consumed correctly");
		return 0;
	}
	if (b->stop == DEADLOCK)
		printf("FAIL: deadlock, all %d threads wait with %d items in the buffer\n", b->stuck, b->filled);
	if (b->stop == DIED)
		puts("FAIL: a producer or consumer died");
	if (b->stop == NO_OUTPUT)
		return fail("standard output", EPIPE);
	if (b->twice + b->strange + b->disorder > 0 || (b->stop == GOES_ON && missing > 0))
		printf("FAIL: %lld items never consumed, %lld twice, %lld out of order, %lld that nobody produced\n",
		       (long long)missing, (long long)b->twice, (long long)b->disorder, (long long)b->strange);
	fputs("producer_consumer: not all items were produced and consumed correctly\n", stderr);
	return 1;
}

/*
 * A member's process has ended. If it had not left, the run is over at once: it may have
 * held the mutex, which is robust, or been inside a condition variable, which is not, and
 * then whoever calls it next hangs. So this thread touches neither.
 */
static void ended(int me)
{
	struct member *m = &buffer->member[me];

	if (m->gone)
		return;
	fprintf(stderr, "producer_consumer: %c%d (process %d) died\n", m->kind == PRODUCER ? 'P' : 'C', m->number, m->pid);
	buffer->stop = DIED;
	for (int i = 0; o.processes && i < o.count[PRODUCER] + o.count[CONSUMER]; i++)
		if (i != me && !reaped[i])
			kill(buffer->member[i].pid, SIGKILL);
	while (o.processes && waitpid(-1, NULL, 0) > 0)
		;
	shm_unlink(o.name);
	report();
	fflush(stdout);
	_exit(1);
}

/* Takes the signals, and misses members that ended without leaving. */
static void *supervise(void *signals)
{
	for (;;) {
		int sig = sigtimedwait(signals, NULL, &(struct timespec){ 0, SECOND / 10 });
		pid_t pid;

		if (sig == SIGINT || sig == SIGTERM)
			interrupted_by = sig;
		while (o.processes && (pid = waitpid(-1, NULL, WNOHANG)) > 0)
			for (int i = 0; i < buffer->members; i++)
				if (buffer->member[i].pid == pid) {
					reaped[i] = true;
					ended(i);
				}
		for (int i = 0; i < buffer->members; i++)
			if (buffer->member[i].pid != 0 && !buffer->member[i].gone &&
			    kill(buffer->member[i].pid, 0) != 0 && errno == ESRCH)
				ended(i);
	}
	return NULL;
}

static int run_all(sigset_t *signals)
{
	pthread_t supervisor;
	int error = 0;

	printf("Producer-Consumer Simulation\nBuffer size: %ld, Producers: %ld, Consumers: %ld, Items: %ld\n",
	       o.capacity, o.count[PRODUCER], o.count[CONSUMER], o.items);
	if (o.guests > 0)
		printf("Waiting for %ld more to join %s\n", o.guests, o.name);
	if (!o.quiet)
		puts("");
	fflush(stdout);
	long own = o.count[PRODUCER] + o.count[CONSUMER];
	lock(buffer);
	for (long i = 0; i < own; i++)
		join(buffer, i < o.count[CONSUMER] ? CONSUMER : PRODUCER);
	if (buffer->shared)
		publish(buffer);
	unlock(buffer);
	for (int i = 0; i < own && error == 0; i++)
		error = start(i);
	if (error == 0)
		error = pthread_create(&supervisor, NULL, supervise, signals);
	lock(buffer);
	if (error != 0)
		stop_run(buffer, DIED);
	else
		attend(own + o.guests);
	unlock(buffer);
	for (int i = 0; i < own && error == 0; i++) {
		if (!o.processes) {
			pthread_join(thread[i], NULL);
		} else if (!buffer->member[i].gone) {
			buffer->member[i].gone = 1;	/* it was stopped, and the run is */
			kill(buffer->member[i].pid, SIGKILL);
		}
	}
	while (o.processes && waitpid(-1, NULL, 0) > 0)
		;
	return error != 0 ? fail("start", error) : 0;
}

int main(int argc, char **argv)
{
	static char name[64];
	sigset_t signals;
	int error;

	parse(argc, argv);
	if (o.member >= 0) {
		if ((buffer = attach(o.name, &fd, 0)) == NULL)
			return fail(o.name, errno);
		part[0] = (struct part){ buffer, (int)o.member, o.quiet };
		struct watch w = { .b = buffer, .part = part, .parts = 1, .program = "producer_consumer", .name = o.name };
		if ((error = watch(w, fd)) != 0)
			return fail(o.name, error);
		take_part(&part[0]);
		return 0;
	}
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGCHLD);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	bool shared = o.processes || o.guests > 0;
	size_t size = buffer_size(o.capacity, o.items);
	if (o.name == NULL) {
		snprintf(name, sizeof(name), "/unpipc-%d-buffer", getpid());
		o.name = name;
	}
	if (shared && (error = create_object(o.name, &fd)) != 0)
		return fail(o.name, error);
	error = shared ? posix_fallocate(fd, 0, (off_t)size) : 0;
	if (error == 0 && (buffer = map(fd, size)) == NULL)
		error = errno;
	if (error == 0)
		error = init_buffer(buffer, o.variant, (int)o.capacity, o.items, shared);
	int status = error == 0 ? run_all(&signals) : fail(o.name, error);
	if (shared)
		shm_unlink(o.name);
	if (error == 0 && buffer->stop == INTERRUPTED) {
		signal(interrupted_by, SIG_DFL);
		pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
		kill(getpid(), interrupted_by);
		pause();
	}
	return status != 0 ? status : report();
}
