/*
 * callcost - what the calls on a message queue cost when nobody has to wait.
 *
 * Sends messages to itself and receives them; what is checked is described in
 * doc.go. The Go program has the same flags and makes the same calls.
 */
#include <getopt.h>
#include <pthread.h>

#include "../../cli/ref/amount.h"
#include "../../measure/ref/clock.h"
#include "../../measure/ref/outcome.h"
#include "queues.h"

static uint64_t count = 1000, warmup = 64;
static bool threaded;

static void *idle(void *unused)
{
	for (;;)
		pause();
	return unused;
}

/* From now on the kernel counts a file's users in every call on a descriptor. */
static void start_thread(void)
{
	pthread_t thread;
	int error = pthread_create(&thread, NULL, idle, NULL);

	if (error)
		die("pthread_create: %s", strerror(error));
}

static inline void pass_once(long (*pass)(uint64_t), uint64_t seq)
{
	long n = pass(seq);

	if (n < 0)
		die("message %llu: %s", (unsigned long long)seq, strerror(errno));
	if ((size_t)n != size || !stamped(got->data, size, seq))
		die("message %llu: %ld bytes, or a wrong number", (unsigned long long)seq, n);
}

static void run(long (*pass)(uint64_t))
{
	uint64_t seq, start, end;

	for (seq = 1; seq <= warmup; seq++) {
		fill(sent->data, size, seq);
		pass_once(pass, seq);
		if (memcmp(sent->data, got->data, size) != 0)
			die("warm-up message %llu: not the bytes that were sent", (unsigned long long)seq);
	}
	memset(got->data, 0, size);
	start = now_ns();
	for (seq = 1; seq <= count; seq++) {
		stamp(sent->data, size, seq);
		pass_once(pass, seq);
	}
	end = now_ns();
	if (memcmp(sent->data, got->data, size) != 0)
		die("last message: not the bytes that were sent");
	print_outcome(count, end - start, NULL);
}

static const char usage[] =
	"usage: callcost --queue QUEUE [flags]\n\n"
	"Sends messages to itself; the time they took goes to standard output as JSON.\n\n"
	"flags:\n"
	"      --queue QUEUE  posix or sysv\n"
	"      --size N       bytes in a message (default 64)\n"
	"      --count N      timed messages (default 1000)\n"
	"      --warmup N     messages before them, compared byte for byte (default 64)\n"
	"      --threaded     with a second thread, as Go always has; it does nothing\n"
	"  -h, --help         show this help\n\n"
	"example:\n"
	"  callcost --queue posix --size 64 --count 1000000\n";

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"queue", 1, NULL, 'q'}, {"size", 1, NULL, 's'}, {"count", 1, NULL, 'n'},
		{"warmup", 1, NULL, 'w'}, {"threaded", 0, NULL, 't'}, {"help", 0, NULL, 'h'}, {0},
	};
	const char *queue = "";
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case 'h':
			fputs(usage, stdout);
			return 0;
		case 'q':
			queue = optarg;
			break;
		case 's':
			size = parse_whole(optarg);
			break;
		case 'n':
			count = parse_whole(optarg);
			break;
		case 'w':
			warmup = parse_whole(optarg);
			break;
		case 't':
			threaded = true;
			break;
		default:
			return 2;
		}
	}
	if (size == 0 || size > UINT32_MAX || count == 0 || optind < argc)
		bad_usage("--size and --count are at least 1");
	sent = calloc(1, sizeof(*sent) + size);
	got = calloc(1, sizeof(*got) + size);
	if (!sent || !got)
		die("%zu bytes: %s", size, strerror(errno));
	if (threaded)
		start_thread();
	if (strcmp(queue, "posix") == 0) {
		open_posix();
		run(pass_posix);
	} else if (strcmp(queue, "sysv") == 0) {
		open_sysv();
		atexit(close_sysv); /* a failed check leaves no queue either */
		run(pass_sysv);
	} else {
		bad_usage("--queue is posix or sysv");
	}
	free(sent);
	free(got);
	return finish();
}
