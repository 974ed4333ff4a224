/*
 * transfer - one end of a measured connection between two processes.
 *
 * The roles are send and recv for throughput, ping and pong for round trips.
 * Both ends get the same size, count, warm-up and batch. What goes over the
 * channel and what is checked is described in doc.go; the Go end has the same
 * flags and sends the same bytes.
 */
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>

#include "../../cli/ref/amount.h"
#include "roles.h"

#define CHANNELS \
	"pipe, fifo, vmsplice, unix_stream, unix_seqpacket, unix_dgram, tcp, posix_mq, sysv_mq or shm_sem"

static const char usage[] =
	"usage: transfer --role ROLE --channel CHANNEL --in END --out END [flags]\n\n"
	"One end of a measured connection; the result goes to standard output as JSON.\n\n"
	"flags:\n"
	"      --role ROLE        send, recv, ping or pong\n"
	"      --channel CHANNEL  " CHANNELS "\n"
	"      --in END           descriptor to read from; path of a FIFO; name of a queue or of\n"
	"                         shared memory; KEY:TYPE\n"
	"      --out END          the same for writing\n"
	"      --size N           bytes in a message (default 64)\n"
	"      --count N          timed messages (default 1000)\n"
	"      --warmup N         verified messages before them (default 16)\n"
	"      --batch N          send and recv: frames in writes of up to N bytes\n"
	"      --threads N        threads to have at least; the others sleep (default 1)\n"
	"      --parent PID       process that this one is not to outlive (default 0: any)\n"
	"  -h, --help             show this help\n\n"
	"example:\n"
	"  mkfifo /tmp/a /tmp/b\n"
	"  transfer --role recv --channel fifo --in /tmp/a --out /tmp/b &\n"
	"  transfer --role send --channel fifo --in /tmp/b --out /tmp/a\n";

#define MAX_THREADS 64

static void *sleep_on(void *unused)
{
	for (;;)
		pause();
	return unused;
}

/* A process of one thread spares itself some of what calls do, in libc and in the kernel. */
static void start_sleeper(void)
{
	pthread_t thread;
	int error = pthread_create(&thread, NULL, sleep_on, NULL);

	if (error)
		die("pthread_create: %s", strerror(error));
	pthread_detach(thread);
}

static const struct role {
	const char *name;
	void (*run)(unsigned char *m);
	bool first; /* it opens the channel to the other end, then the one back */
} roles[] = {
	{"send", run_send, true}, {"recv", run_recv, false},
	{"ping", run_ping, true}, {"pong", run_pong, false},
};

static const struct role *find_role(const char *name)
{
	for (size_t i = 0; i < sizeof(roles) / sizeof(*roles); i++)
		if (strcmp(roles[i].name, name) == 0)
			return &roles[i];
	bad_usage("--role is send, recv, ping or pong");
}

static const struct channel *find_channel(const char *name)
{
	for (const struct channel *c = channels; c->name; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	bad_usage("--channel is " CHANNELS);
}

int main(int argc, char **argv)
{
	enum { ROLE, CHANNEL, IN, OUT, SIZE, COUNT, WARMUP, BATCH, THREADS, PARENT, HELP, FLAGS };
	static const struct option options[] = {
		{"role", 1, NULL, ROLE}, {"channel", 1, NULL, CHANNEL}, {"in", 1, NULL, IN},
		{"out", 1, NULL, OUT}, {"size", 1, NULL, SIZE}, {"count", 1, NULL, COUNT},
		{"warmup", 1, NULL, WARMUP}, {"batch", 1, NULL, BATCH},
		{"threads", 1, NULL, THREADS}, {"parent", 1, NULL, PARENT}, {"help", 0, NULL, HELP}, {0},
	};
	const char *given[FLAGS] = {
		[ROLE] = "", [CHANNEL] = "", [IN] = "", [OUT] = "",
		[SIZE] = "64", [COUNT] = "1000", [WARMUP] = "16", [BATCH] = "0", [THREADS] = "1",
		[PARENT] = "0",
	};
	const struct role *role;
	unsigned char *m;
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == 'h' || c == HELP) {
			fputs(usage, stdout);
			return 0;
		}
		if (c == '?')
			return 2;
		given[c] = optarg;
	}
	size = parse_whole(given[SIZE]);
	count = parse_whole(given[COUNT]);
	warmup = parse_whole(given[WARMUP]);
	batch = parse_whole(given[BATCH]);
	unsigned long threads = parse_whole(given[THREADS]);
	if (threads == 0 || threads > MAX_THREADS)
		bad_usage("--threads is 1 to %d", MAX_THREADS);
	unsigned long parent = parse_whole(given[PARENT]);
	if (size == 0 || count == 0 || !*given[IN] || !*given[OUT] || optind < argc)
		bad_usage("--in and --out are needed, --size and --count are at least 1");
	role = find_role(given[ROLE]);
	channel = find_channel(given[CHANNEL]);
	if (batch && (channel->packets || channel->stage || batch < size + 8))
		bad_usage("--batch needs a stream and at least 8 bytes more than --size");
	m = new_message();
	frames = malloc(batch + 1);
	if (!frames)
		die("%zu bytes: %s", batch, strerror(errno));
	signal(SIGPIPE, SIG_IGN); /* a peer that is gone is an error of write */
	/* Who waits at a queue does not see that the one who started both was killed. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (parent && getppid() != (pid_t)parent)
		return 1; /* it was killed before that */

	while (--threads > 0)
		start_sleeper();
	/* Opening a FIFO waits for the other end, so both begin with the same one. */
	if (role->first)
		channel->open_out(given[OUT]);
	channel->open_in(given[IN]);
	if (!role->first)
		channel->open_out(given[OUT]);
	role->run(m);
	free_message(m);
	free(frames);
	return finish();
}
