/*
 * ipc_benchmark - mechanisms that carry messages between two processes, side by side.
 *
 * The processes do what transfer.c does; here are the runs, the tables and the winners.
 * Only C is measured, and there is no plot.
 */
#include <getopt.h>

#include "runs.h"

static const char usage[] =
	"usage: ipc_benchmark [flags]\n\n"
	"Measures mechanisms that carry messages between two processes: throughput, and latency\n"
	"as half of a round trip. Every message is verified.\n\n"
	"flags:\n"
	"      --msg-size N,...  bytes in a message: 1024, 1KB (of 1024), 1KiB (default 1024)\n"
	"      --iterations N    messages in each run: 100000, 100K (default 100000)\n"
	"      --sweep           sizes from 1 B to 1 MB, no more than 64 MB in each run\n"
	"      --runs N          how often everything is measured (default 3)\n"
	"      --pin CPU,...     CPUs for the two processes (default the first two)\n"
	"      --format FORMAT   table, json, csv or md (default table)\n"
	"      --plot FILE       the Go program's only\n"
	"      --bin FOLDER      the Go program's only\n"
	"  -h, --help            show this help\n\n"
	"example:\n"
	"  ipc_benchmark --msg-size=1024 --iterations=100000\n";

/* 1024, 1K, 1KB, 1KiB: K is kilo. */
static uint64_t amount(const char *flag, const char *text, unsigned int kilo, uint64_t most)
{
	uint64_t n, scale = 1;
	char *end;

	n = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || n > most)
		n = 0;
	if (*end == 'k' || *end == 'K')
		scale = kilo;
	else if (*end == 'm' || *end == 'M')
		scale = (uint64_t)kilo * kilo;
	end += scale > 1;
	if (kilo == 1024) {
		end += scale > 1 && *end == 'i';
		end += *end == 'B' || *end == 'b';
	}
	if (*end || n == 0 || n * scale > most)
		bad_usage("--%s: \"%s\" is no amount from 1 up", flag, text);
	return n * scale;
}

/* The amounts of a list, sorted by whoever needs it. */
static int amounts(const char *flag, char *list, uint64_t *values, int room)
{
	int n = 0;

	for (char *t = strtok(list, ","); t; t = strtok(NULL, ",")) {
		if (n == room)
			bad_usage("--%s: more than %d", flag, room);
		values[n++] = amount(flag, t, 1024, 1 << 30);
	}
	if (n == 0)
		bad_usage("--%s: nothing", flag);
	return n;
}

static void pin_flag(char *list)
{
	for (char *t = strtok(list, ","); t && ncpus < 64; t = strtok(NULL, ",")) {
		char *end;
		long cpu = strtol(t, &end, 10);

		if (*t < '0' || *t > '9' || *end || cpu >= CPU_SETSIZE)
			bad_usage("--pin: \"%s\" is no number of a CPU", t);
		cpus[ncpus++] = (int)cpu;
	}
}

int main(int argc, char **argv)
{
	enum { SIZES, ITERATIONS, SWEEP, RUNS, PIN, FORMAT, PLOT, BIN, HELP };
	static const struct option options[] = {
		{"msg-size", 1, NULL, SIZES}, {"iterations", 1, NULL, ITERATIONS},
		{"sweep", 0, NULL, SWEEP}, {"runs", 1, NULL, RUNS}, {"pin", 1, NULL, PIN},
		{"format", 1, NULL, FORMAT}, {"plot", 1, NULL, PLOT}, {"bin", 1, NULL, BIN},
		{"help", 0, NULL, HELP}, {0},
	};
	static const uint64_t sweep_sizes[] = {1, 64, 1024, 4096, 16384, 65536, 262144, 1048576};
	const struct format *format = formats;
	uint64_t sizes[64] = {1024}, iterations = 100000;
	int c, nsizes = 1, runs = 3;
	bool sweep = false, chosen = false, failed = false;
	struct line lines[MECHANISMS];
	sigset_t set;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case SIZES:
			nsizes = amounts("msg-size", optarg, sizes, 64);
			chosen = true;
			break;
		case ITERATIONS:
			iterations = amount("iterations", optarg, 1000, INT32_MAX);
			break;
		case SWEEP:
			sweep = true;
			break;
		case RUNS:
			runs = (int)amount("runs", optarg, 1000, 1000);
			break;
		case PIN:
			pin_flag(optarg);
			break;
		case FORMAT:
			for (format = formats; format->name && strcmp(format->name, optarg) != 0; format++)
				;
			if (!format->name)
				bad_usage("--format is table, json, csv or md");
			break;
		case PLOT:
			bad_usage("--plot is the Go program's only");
		case BIN:
			break;
		case 'h':
		case HELP:
			fputs(usage, stdout);
			return 0;
		default:
			fputs("Try 'ipc_benchmark --help'.\n", stderr);
			return 2;
		}
	}
	if (optind < argc)
		bad_usage("unexpected argument \"%s\"", argv[optind]);
	if (sweep && chosen)
		bad_usage("--sweep has sizes of its own: not with --msg-size");
	if (sweep) {
		nsizes = sizeof(sweep_sizes) / sizeof(*sweep_sizes);
		memcpy(sizes, sweep_sizes, sizeof(sweep_sizes));
	}
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL); /* wait_for takes them */
	signal(SIGPIPE, SIG_IGN);
	frames = malloc(1); /* no role here sends in frames */
	format->begin(runs);
	for (int i = 0; i < nsizes; i++) {
		uint64_t n = iterations, most = (64 << 20) / sizes[i];

		size = sizes[i];
		if (sweep && most < 100)
			most = 100;
		if (sweep && n > most)
			n = most;
		memset(lines, 0, sizeof(lines));
		for (size_t m = 0; m < MECHANISMS; m++) {
			lines[m].mechanism = &mechanisms[m];
			measure(&mechanisms[m], n, runs, &lines[m]);
			failed = failed || *lines[m].failed;
		}
		format->lines(lines, n, i == 0);
	}
	format->end();
	return finish() || failed;
}
