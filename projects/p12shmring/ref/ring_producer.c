/* The writing end of a ring in shared memory. */
#include <signal.h>

#include "program.h"

static const char help[] =
	"usage: ring_producer [flags]\n\n"
	"Makes a ring in shared memory, waits for a consumer and sends messages.\n\n"
	"flags:\n"
	"  -h, --help                 show this help\n"
	"      --name name            name of the shared memory object, such as /ring\n"
	"      --wait duration        how long to wait for the other end to come (default 10s)\n"
	"      --check                every byte of every message is made from its number and verified (at both ends)\n"
	"      --in-place             only numbers are written and compared, in the ring: nothing is copied\n"
	"      --echo                 every message comes back through a second ring, and is timed (at both ends)\n"
	"      --json                 print the result as JSON\n"
	"      --count string         messages: 1000, 10K, 100M (default 1M)\n"
	"      --size string          bytes in a message, at least 16: 64, 1KB (of 1024) (default 1KB)\n"
	"      --vary                 messages of 16 bytes to --size\n"
	"      --buffer-size string   bytes of the ring, a power of two (default 1MB)\n"
	"      --batch string         bytes to keep back before they are published; 0: every message at once\n\n"
	"example:\n"
	"  ring_producer --name /ring --count 1M --size 1KB &\n"
	"  ring_consumer --name /ring\n";

static char paths[2][PATH_MAX + 32];

/* Until the consumer has come the names are ours to remove. */
static void on_signal(int sig)
{
	if (!there.seen)
		unlink(paths[0]);
	if (flags.echo && !back.seen)
		unlink(paths[1]);
	signal(sig, SIG_DFL);
	raise(sig);
}

static void remove_names(void)
{
	if (there.memory)
		remove_name(&there);
	if (back.memory)
		remove_name(&back);
}

/* Signals wait until there are names, and then remove them; so does a failure. */
static void make_rings(uint64_t capacity)
{
	const int signals[] = {SIGINT, SIGTERM};
	sigset_t both;

	sigemptyset(&both);
	sigaddset(&both, SIGINT);
	sigaddset(&both, SIGTERM);
	sigprocmask(SIG_BLOCK, &both, NULL);
	atexit(remove_names);
	seat_make(&there, end_flags.name, ring_size(capacity));
	ring_create(there.memory, capacity);
	snprintf(paths[0], sizeof(paths[0]), "/dev/shm%s", end_flags.name);
	if (flags.echo) {
		seat_make(&back, flags.back_name, ring_size(capacity));
		ring_create(back.memory, capacity);
		snprintf(paths[1], sizeof(paths[1]), "/dev/shm%s", flags.back_name);
	}
	for (int i = 0; i < 2; i++)
		if (signal(signals[i], on_signal) == SIG_IGN)
			signal(signals[i], SIG_IGN);
	sigprocmask(SIG_UNBLOCK, &both, NULL);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		FLAGS_OF_BOTH, {"count", required_argument, NULL, 'c'},
		{"size", required_argument, NULL, 's'}, {"vary", no_argument, NULL, 'v'},
		{"buffer-size", required_argument, NULL, 'b'}, {"batch", required_argument, NULL, 'p'}, {0},
	};
	uint64_t count = 1000 * 1000, size = 1024, capacity = 1 << 20, batch = 0;
	bool vary = false;
	struct producer p;
	struct outcome o;

	for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;)
		switch (c) {
		case 'c':
			if (!(count = parse_count(optarg)))
				bad_usage("--count: \"%s\" is no number from 1 up", optarg);
			break;
		case 's':
			if ((size = parse_size(optarg)) < LEAST_MESSAGE)
				bad_usage("--size: \"%s\" is no size from 16 bytes up", optarg);
			break;
		case 'v':
			vary = true;
			break;
		case 'b':
			if (!is_capacity(capacity = parse_size(optarg)))
				bad_usage("--buffer-size: \"%s\": not a power of two from 64 to 2GB", optarg);
			break;
		case 'p':
			if (!(batch = parse_size(optarg)) && strcmp(optarg, "0"))
				bad_usage("--batch: \"%s\" is no size", optarg);
			break;
		default:
			take_flag(c, help);
		}
	check_flags(argc - optind);

	make_rings(capacity);
	end_flags.wait += now_ns();
	seat_await(&there, end_flags.wait);
	if (flags.echo)
		seat_await(&back, end_flags.wait);
	producer_init(&p, there.memory, gone);
	p.batch = batch;
	if (flags.echo) {
		struct consumer c;

		consumer_init(&c, back.memory, gone);
		o = ping(&p, &c, count, size);
	} else {
		o = produce(&p, count, size, vary, style_of_flags());
	}
	/* Who leaves earlier looks like one who died. */
	await(&p.r->producer_sleeps, is_empty, p.r, gone);
	print_outcome(&o, "sent", end_flags.json);
	free(o.histogram);
	return finish();
}
