/* The writing end of a queue in shared memory. */
#include <limits.h>
#include <signal.h>

#include "../../internal/seats/ref/flags.h"
#include "flags.h"
#include "end.h"
#include "timed.h"

static const char help[] =
	"usage: spsc_producer [flags]\n\n"
	"Makes a queue in shared memory, waits for a consumer and writes the numbers 0, 1, 2, … to it.\n\n"
	"flags:\n"
	"  -h, --help           show this help\n"
	"      --name name      name of the shared memory object, such as /queue\n"
	"      --wait duration  how long to wait for the other end to come (default 10s)\n"
	"      --json           print the result as JSON\n"
	"      --count string   items to write: 1000, 10K, 100M (default 1M)\n"
	"      --capacity int   slots, a power of two (default 4096)\n"
	"      --kind string    naive, padded, cached, deferred, batched, mutex, semaphore (default cached)\n"
	"      --every ns       write one item in so many ns, and time each; 0: all at once, none timed\n\n"
	"example:\n"
	"  spsc_producer --name /queue --count 1M &\n"
	"  spsc_consumer --name /queue\n";

static char path[PATH_MAX];

/* Until the consumer has come the name is ours to remove. */
static void on_signal(int sig)
{
	if (!at.seen)
		unlink(path);
	signal(sig, SIG_DFL);
	raise(sig);
}

/* Signals wait until there is a name, and then remove it. */
static void make_queue(uint64_t capacity, enum kind kind, uint64_t count)
{
	const int signals[] = {SIGINT, SIGTERM};
	sigset_t both;

	sigemptyset(&both);
	sigaddset(&both, SIGINT);
	sigaddset(&both, SIGTERM);
	sigprocmask(SIG_BLOCK, &both, NULL);
	seat_make(&at, end_flags.name, queue_size(capacity));
	snprintf(path, sizeof(path), "/dev/shm%s", end_flags.name);
	for (int i = 0; i < 2; i++)
		if (signal(signals[i], on_signal) == SIG_IGN)
			signal(signals[i], SIG_IGN);
	sigprocmask(SIG_UNBLOCK, &both, NULL);
	queue_create(at.memory, capacity, kind, count);
}

static enum kind parse_kind(const char *name)
{
	for (int k = 0; k < KINDS; k++)
		if (!strcmp(name, kind_names[k]))
			return k;
	bad_usage("--kind: \"%s\" is no kind of queue", name);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		END_FLAGS, {"count", required_argument, NULL, 'c'},
		{"capacity", required_argument, NULL, 's'}, {"kind", required_argument, NULL, 'k'},
		{"every", required_argument, NULL, 'e'}, {0},
	};
	uint64_t count = 1000 * 1000, capacity = 4096, fast;
	enum kind kind = CACHED;
	char *rest;
	long every = 0;
	struct end e;

	for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;)
		switch (c) {
		case 'c':
			if (!(count = parse_count(optarg)))
				bad_usage("--count: \"%s\" is no number from 1 up", optarg);
			break;
		case 's':
			capacity = parse_capacity(optarg);
			break;
		case 'k':
			kind = parse_kind(optarg);
			break;
		case 'e':
			every = strtol(optarg, &rest, 10);
			if (rest == optarg || *rest || every < 0)
				bad_usage("--every is at least 0");
			break;
		default:
			take_end_flag(c, help);
		}
	check_end_flags(argc - optind);

	make_queue(capacity, kind, count);
	seat_await(&at, now_ns() + end_flags.wait);
	end_init(&e, at.memory, true);
	/* With times, the first queueful is for warming up. */
	fast = every && capacity < count ? capacity : count;
	if (fast < count)
		prepare_times();
	produce(&e, 0, fast);
	if (fast < count)
		produce_timed(&e, fast, count, every);
	while (!queue_empty(at.memory)) /* who leaves earlier looks like one who died */
		wait_turn(&e);
	if (!end_flags.json) {
		printf("sent %llu items\n", (unsigned long long)count);
		return finish();
	}
	printf("{\"count\":%llu,\"histogram\":[", (unsigned long long)count);
	histogram_print(histogram);
	puts("]}");
	return finish();
}
