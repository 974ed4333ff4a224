/* The command line. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static struct {
	const char *db, *key_file, *value_file, *with;
	bool db_given, no_sync, raw;
	double hold, duration;
	int processes, kills;
} opt = { .db = "kvstore.db", .hold = 2, .duration = 3, .processes = 16, .kills = 20 };

static void __attribute__((noreturn, format(printf, 1, 2))) bad_usage(const char *format, ...)
{
	va_list args;

	fputs("kvstore: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputs("\nTry 'kvstore --help'.\n", stderr);
	exit(2);
}

static void help(void)
{
	puts("usage: kvstore [flags] COMMAND [ARGUMENT…]\n\n"
	     "Keeps keys and values in a file that any number of processes use at once.\n\n"
	     "  set KEY VALUE    sets a value; VALUE - is standard input\n"
	     "  get KEY          prints a value\n"
	     "  del KEY          deletes a key\n"
	     "  list             prints all keys, one a line, with \\xNN for other than printable bytes\n"
	     "  lock-test KEY    two processes that want one lock\n"
	     "  deadlock-test [KEY KEY]   two processes that want each other's lock\n"
	     "  check            reads everything and compares all checksums\n"
	     "  stress           many processes at once, some of them killed, all results verified\n"
	     "  hold             reads \"lock KEY\" and \"unlock KEY\" from standard input\n\n"
	     "A set has reached the disk when it returns. Keys and values are any bytes, up to 1 MiB.\n\n"
	     "flags: --db FILE, --no-sync, --raw, --key-file FILE, --value-file FILE, --hold SECONDS,\n"
	     "       --with PROGRAM, --processes N, --duration SECONDS, --kills N\n\n"
	     "example:\n  kvstore set key1 value1\n  kvstore get key1");
}

static void parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "db", 1, NULL, 'd' }, { "no-sync", 0, NULL, 'n' }, { "raw", 0, NULL, 'r' },
		{ "key-file", 1, NULL, 'k' }, { "value-file", 1, NULL, 'v' }, { "hold", 1, NULL, 'H' },
		{ "with", 1, NULL, 'w' }, { "processes", 1, NULL, 'p' }, { "duration", 1, NULL, 't' },
		{ "kills", 1, NULL, 'K' }, { "help", 0, NULL, 'h' }, { 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		char *end = "";

		switch (c) {
		case 'd': opt.db = optarg; opt.db_given = true; break;
		case 'n': opt.no_sync = true; break;
		case 'r': opt.raw = true; break;
		case 'k': opt.key_file = optarg; break;
		case 'v': opt.value_file = optarg; break;
		case 'w': opt.with = optarg; break;
		case 'H': opt.hold = strtod(optarg, &end); break;
		case 't': opt.duration = strtod(optarg, &end); break;
		case 'p': opt.processes = (int)strtol(optarg, &end, 10); break;
		case 'K': opt.kills = (int)strtol(optarg, &end, 10); break;
		case 'h': help(); exit(0);
		default: fputs("Try 'kvstore --help'.\n", stderr); exit(2);
		}
		if (*end || (optarg && !*optarg))
			bad_usage("%s: no number", optarg);
	}
}

#endif
