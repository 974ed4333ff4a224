/* The command line of producer_consumer. */
#ifndef FLAGS_H
#define FLAGS_H

#include <getopt.h>
#include <limits.h>

#include "buffer.h"
#include "options.h"

static struct {
	long count[2], capacity, items, guests, turn, member, cpu;
	enum variant variant;
	bool quiet, processes, spurious, one_cpu;
	const char *name;
} o = { .count = { 3, 2 }, .capacity = 10, .items = 1000, .turn = 1, .member = -1, .cpu = ANY_CPU };

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
	     "      --guests int        producers and consumers that join from elsewhere before it begins\n"
	     "      --turn int          items that a thread may move before it lets others in (default 1)\n"
	     "      --cpus string       any: the kernel chooses; one: producers and consumers stay on one (default \"any\")\n\n"
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
		{ "guests", required_argument, NULL, 'g' }, { "turn", required_argument, NULL, 't' },
		{ "cpus", required_argument, NULL, 'u' },
		/* for the program itself */
		{ "member", required_argument, NULL, 'M' }, { "cpu", required_argument, NULL, 'C' }, { 0 },
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
		case 't': o.turn = number(me, "turn", optarg, 1, 1000000); break;
		case 'M': o.member = number(me, "member", optarg, 0, MAX_MEMBERS - 1); break;
		case 'C': o.cpu = number(me, "cpu", optarg, ANY_CPU, INT_MAX); break;
		case 'u': o.one_cpu = one_cpu(me, optarg); break;
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

#endif
