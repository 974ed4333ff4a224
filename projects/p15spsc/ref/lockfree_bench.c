/* A queue without locks beside one with a mutex and one with semaphores. */
#include <getopt.h>

#include "flags.h"
#include "runs.h"

static const char help[] =
	"usage: lockfree_bench [flags]\n\n"
	"Sends numbers through a queue in shared memory, each checked at the other end: without\n"
	"locks, and, with a tenth as many, with a mutex and with semaphores. The latency is that of\n"
	"a write into a queue with room, one each microsecond.\n\n"
	"flags:\n"
	"  -h, --help                show this help\n"
	"      --iterations string   operations: 1000, 10K, 100M (default 10M)\n"
	"      --capacity int        slots, a power of two (default 4096)\n"
	"      --kind string         the lock-free queue: naive, padded, cached, deferred, batched (default cached)\n"
	"      --threads             between two threads instead of two processes\n"
	"      --variants            show what each step brings\n\n"
	"example:\n"
	"  lockfree_bench --iterations=100M\n"
	"  lockfree_bench --iterations=10M --threads --variants\n";

static const char *rate_words(double rate, char *text, size_t size)
{
	if (rate >= 0.995e6)
		snprintf(text, size, "%.*fM", rate < 9.95e6, rate / 1e6);
	else
		snprintf(text, size, "%.0fK", rate / 1e3);
	return text;
}

static const char *count_words(uint64_t n, char *text, size_t size)
{
	static const struct { uint64_t size; const char *name; } units[] = {
		{1000000000, " billion"}, {1000000, " million"}, {1000, " thousand"}, {1, ""}
	};
	int i = 0;

	while (n % units[i].size)
		i++;
	snprintf(text, size, "%llu%s", (unsigned long long)(n / units[i].size), units[i].name);
	return text;
}

static void report(enum kind kind, bool variants)
{
	static const char *const names[] = {"Lock-free queue", "Mutex-based queue", "Semaphore-based"};
	const enum kind kinds[] = {kind, MUTEX, SEM};
	struct figures f[3];
	double last = 0;
	char text[64];

	printf("Lock-Free SPSC Queue Benchmark\nOperations: %s\n\n", count_words(iterations, text, sizeof(text)));
	for (int i = 0; i < 3; i++) {
		fflush(stdout); /* or the children would print it again */
		f[i] = measure(kinds[i]);
		printf("%s: %s ops/sec\n", names[i], rate_words(f[i].rate, text, sizeof(text)));
	}
	printf("\nSpeedup: %.1fx over mutex\nLatency (p99): %.0fns vs %.0fns\n",
		f[0].rate / f[1].rate, f[0].p99, f[1].p99);
	if (!variants)
		return;
	printf("\n%-10s %10s %9s %10s %10s\n", "Variant", "Operations", "Step", "Mean", "p99");
	puts("-----------------------------------------------------");
	for (enum kind k = NAIVE; k < MUTEX; k++) {
		char step[32] = "-";

		fflush(stdout);
		f[0] = measure(k);
		if (last > 0)
			snprintf(step, sizeof(step), "%.2fx", f[0].rate / last);
		last = f[0].rate;
		printf("%-10s %8s/s %9s %8.0fns %8.0fns\n", kind_names[k],
			rate_words(last, text, sizeof(text)), step, f[0].mean, f[0].p99);
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"help", no_argument, NULL, 'h'}, {"iterations", required_argument, NULL, 'i'},
		{"capacity", required_argument, NULL, 'c'}, {"kind", required_argument, NULL, 'k'},
		{"threads", no_argument, NULL, 't'}, {"variants", no_argument, NULL, 'v'}, {0},
	};
	enum kind kind = CACHED;
	bool variants = false;

	for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;)
		switch (c) {
		case 'h':
			fputs(help, stdout);
			return finish();
		case 'i':
			if (!(iterations = parse_count(optarg)))
				bad_usage("--iterations: \"%s\" is no number from 1 up", optarg);
			break;
		case 'c':
			capacity = parse_capacity(optarg);
			break;
		case 'k':
			for (kind = NAIVE; kind < MUTEX && strcmp(optarg, kind_names[kind]); kind++)
				;
			if (kind == MUTEX)
				bad_usage("--kind: \"%s\" is no queue without locks", optarg);
			break;
		case 't':
			threads = true;
			break;
		case 'v':
			variants = true;
			break;
		default:
			bad_usage("wrong flags");
		}
	if (optind < argc)
		bad_usage("unexpected argument \"%s\"", argv[optind]);
	report(kind, variants);
	return finish();
}
