/*
 * transfer - one end of a measured connection between two processes.
 *
 * The roles are send and recv for throughput, ping and pong for round trips.
 * Both ends get the same size, count, warm-up and batch. What goes over the
 * channel and what is checked is described in doc.go; the Go end has the same
 * flags and sends the same bytes.
 */
#include <getopt.h>
#include <signal.h>

#include "roles.h"

static const char usage[] =
	"usage: transfer --role ROLE --channel CHANNEL --in END --out END [flags]\n\n"
	"One end of a measured connection; the result goes to standard output as JSON.\n\n"
	"flags:\n"
	"      --role ROLE        send, recv, ping or pong\n"
	"      --channel CHANNEL  pipe, fifo, unix_stream or unix_seqpacket\n"
	"      --in END           descriptor to read from, or path of a FIFO\n"
	"      --out END          descriptor to write to, or path of a FIFO\n"
	"      --size N           bytes in a message (default 64)\n"
	"      --count N          timed messages (default 1000)\n"
	"      --warmup N         verified messages before them (default 16)\n"
	"      --batch N          send and recv: frames in writes of up to N bytes\n"
	"  -h, --help             show this help\n\n"
	"example:\n"
	"  mkfifo /tmp/a /tmp/b\n"
	"  transfer --role recv --channel fifo --in /tmp/a --out /tmp/b &\n"
	"  transfer --role send --channel fifo --in /tmp/b --out /tmp/a\n";

__attribute__((noreturn)) static void bad_usage(const char *what)
{
	fprintf(stderr, "transfer: %s\nTry 'transfer --help'.\n", what);
	exit(2);
}

static uint64_t number(const char *text)
{
	char *end;
	long long n;

	errno = 0;
	n = strtoll(text, &end, 10);
	if (end == text || *end || errno || n < 0)
		bad_usage("sizes, counts and descriptors are whole numbers from 0");
	return n;
}

/* A descriptor of ours, or the name of a FIFO. */
static int open_end(const char *channel, const char *where, int flags)
{
	int fd;

	if (strcmp(channel, "fifo") != 0)
		return (int)number(where);
	fd = open(where, flags | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		die("%s: %s", where, strerror(errno));
	return fd;
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

static void check_channel(const char *name)
{
	static const char *const names[] = {"pipe", "fifo", "unix_stream", "unix_seqpacket"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(names[i], name) == 0)
			return;
	bad_usage("--channel is pipe, fifo, unix_stream or unix_seqpacket");
}

int main(int argc, char **argv)
{
	enum { ROLE, CHANNEL, IN, OUT, SIZE, COUNT, WARMUP, BATCH, HELP, FLAGS };
	static const struct option options[] = {
		{"role", 1, NULL, ROLE}, {"channel", 1, NULL, CHANNEL}, {"in", 1, NULL, IN},
		{"out", 1, NULL, OUT}, {"size", 1, NULL, SIZE}, {"count", 1, NULL, COUNT},
		{"warmup", 1, NULL, WARMUP}, {"batch", 1, NULL, BATCH}, {"help", 0, NULL, HELP},
		{0},
	};
	const char *given[FLAGS] = {
		[ROLE] = "", [CHANNEL] = "", [IN] = "", [OUT] = "",
		[SIZE] = "64", [COUNT] = "1000", [WARMUP] = "16", [BATCH] = "0",
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
	size = number(given[SIZE]);
	count = number(given[COUNT]);
	warmup = number(given[WARMUP]);
	batch = number(given[BATCH]);
	if (size == 0 || count == 0 || !*given[IN] || !*given[OUT] || optind < argc)
		bad_usage("--in and --out are needed, --size and --count are at least 1");
	role = find_role(given[ROLE]);
	check_channel(given[CHANNEL]);
	sockets = strncmp(given[CHANNEL], "unix_", 5) == 0;
	packets = strcmp(given[CHANNEL], "unix_seqpacket") == 0;
	if (batch && (packets || batch < size + 8))
		bad_usage("--batch needs a stream and at least 8 bytes more than --size");
	m = new_message();
	frames = malloc(batch + 1);
	if (!frames)
		die("%zu bytes: %s", batch, strerror(errno));
	signal(SIGPIPE, SIG_IGN); /* a peer that is gone is an error of write */

	/* Opening a FIFO waits for the other end, so both begin with the same one. */
	if (role->first)
		out = open_end(given[CHANNEL], given[OUT], O_WRONLY);
	in = open_end(given[CHANNEL], given[IN], O_RDONLY);
	if (!role->first)
		out = open_end(given[CHANNEL], given[OUT], O_WRONLY);
	role->run(m);
	free(m);
	free(frames);
	if (fflush(stdout) != 0)
		die("standard output: %s", strerror(errno));
	return 0;
}
