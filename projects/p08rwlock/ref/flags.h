/* flags - the command line of test_myrwlock, the same as that of the Go program. */
#ifndef FLAGS_H
#define FLAGS_H

#include <getopt.h>
#include <math.h>

#include "worker.h"

enum { MAX_WORKERS = 1000 };

static bool processes;
static int64_t events = 40;
static const char *shared_name;
static enum policy policy; /* 0: not said */

static int64_t number(const char *flag, const char *text)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (end == text || *end || errno)
		bad_usage("--%s: not a number: %s", flag, text);
	return n;
}

/* A number with a unit, several of them one behind the other, or 0. */
static int64_t duration(const char *flag, const char *text)
{
	static const struct {
		const char *unit;
		double ns;
	} units[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}};
	const char *at = text;
	double sum = 0;

	while (*at && strcmp(text, "0") != 0) {
		char *end;
		double n = strtod(at, &end);
		size_t len = strspn(end, "numsh"), i = 0;
		while (i < 6 && !(strlen(units[i].unit) == len && strncmp(units[i].unit, end, len) == 0))
			i++;
		if (end == at || i == 6 || !isfinite(n))
			bad_usage("--%s: not a time like 10s or 500ms: %s", flag, text);
		sum += n * units[i].ns;
		at = end + len;
	}
	if (!*text || fabs(sum) > 9e18)
		bad_usage("--%s: not a time like 10s or 500ms: %s", flag, text);
	return (int64_t)sum;
}

static enum policy policy_named(const char *name)
{
	if (strcmp(name, "reader") == 0)
		return PREFER_READER;
	if (strcmp(name, "writer") == 0)
		return PREFER_WRITER;
	if (strcmp(name, "fair") != 0)
		bad_usage("--policy: no policy \"%s\": reader, writer or fair", name);
	return FAIR;
}

static _Noreturn void help(void)
{
	puts("usage: test_myrwlock [flags]\n"
	     "\n"
	     "Readers and writers share a read-write lock made of a mutex and condition variables.\n"
	     "The statistics at the end say whether the data under the lock were always right, and\n"
	     "whether anybody starved: waited for more than half of the test while the others took\n"
	     "the lock three times each.\n"
	     "\n"
	     "flags:\n"
	     "  -h, --help                show this help\n"
	     "      --readers int         number of readers (default 10)\n"
	     "      --writers int         number of writers (default 3)\n"
	     "      --duration duration   how long: 10s, 500ms, 2m (default 10s)\n"
	     "      --policy string       whom the lock prefers: reader, writer or fair (default fair,\n"
	     "                            or as those who are joined have it)\n"
	     "      --hold duration       how long each holds the lock (default 1ms)\n"
	     "      --pause duration      how long each is without it (default 5ms)\n"
	     "      --events int          how many events to print; -1: all (default 40)\n"
	     "      --quiet               print no events\n"
	     "      --processes           each reader and writer is a process\n"
	     "      --shared string       put the lock into the shared memory object of this name,\n"
	     "                            or join those who use it\n"
	     "\n"
	     "example:\n"
	     "  test_myrwlock --readers=10 --writers=3 --duration=10s\n"
	     "  test_myrwlock --policy=reader --pause=0s --duration=2s\n"
	     "  test_myrwlock --shared=/lock --readers=1 & test_myrwlock --shared=/lock --processes");
	exit(0);
}

static void read_flags(int argc, char **argv)
{
	static const struct option options[] = {{"help", no_argument, NULL, 'h'},
						{"readers", required_argument, NULL, 'r'},
						{"writers", required_argument, NULL, 'w'},
						{"duration", required_argument, NULL, 'd'},
						{"policy", required_argument, NULL, 'p'},
						{"hold", required_argument, NULL, 'H'},
						{"pause", required_argument, NULL, 'P'},
						{"events", required_argument, NULL, 'e'},
						{"quiet", no_argument, NULL, 'q'},
						{"processes", no_argument, NULL, 'c'},
						{"shared", required_argument, NULL, 's'},
						{NULL, 0, NULL, 0}};
	int64_t readers = 10, writers = 3;
	bool quiet = false;
	int option;

	test.duration = 10 * SECOND;
	test.hold = SECOND / 1000;
	test.pause = 5 * SECOND / 1000;
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'h':
			help();
		case 'r':
			readers = number("readers", optarg);
			break;
		case 'w':
			writers = number("writers", optarg);
			break;
		case 'd':
			test.duration = duration("duration", optarg);
			break;
		case 'p':
			policy = policy_named(optarg);
			break;
		case 'H':
			test.hold = duration("hold", optarg);
			break;
		case 'P':
			test.pause = duration("pause", optarg);
			break;
		case 'e':
			events = number("events", optarg);
			break;
		case 'q':
			quiet = true;
			break;
		case 'c':
			processes = true;
			break;
		case 's':
			shared_name = optarg;
			break;
		default:
			fputs("Try 'test_myrwlock --help'.\n", stderr);
			exit(2);
		}
	}
	if (optind < argc)
		bad_usage("takes no arguments");
	if (readers < 0 || writers < 0 || readers > MAX_WORKERS || writers > MAX_WORKERS || readers + writers < 1 ||
	    readers + writers > MAX_WORKERS)
		bad_usage("--readers and --writers are 1 to %d together", MAX_WORKERS);
	if (test.duration <= 0 || test.hold < 0 || test.pause < 0)
		bad_usage("--duration is more than 0, --hold and --pause are not less");
	test.readers = (unsigned)readers;
	test.writers = (unsigned)writers;
	if (quiet)
		events = 0;
}
#endif
