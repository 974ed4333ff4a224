/* The flags of a program that is one end of an object, as program.go of package seats has them. */
#ifndef SEATS_FLAGS_H
#define SEATS_FLAGS_H

#include <getopt.h>
#include <stdbool.h>

#include "../../cli/ref/amount.h"

static struct {
	const char *name; /* of the object */
	uint64_t wait;	  /* ns */
	bool json;
} end_flags = {.wait = UINT64_C(10000000000)};

#define END_FLAGS \
	{"help", no_argument, NULL, 'h'}, {"name", required_argument, NULL, 'n'}, \
	{"wait", required_argument, NULL, 'w'}, {"json", no_argument, NULL, 'j'}

/* Takes a flag of END_FLAGS; any other is wrong. */
static void take_end_flag(int c, const char *help)
{
	switch (c) {
	case 'h':
		fputs(help, stdout);
		exit(finish());
	case 'n':
		end_flags.name = optarg;
		break;
	case 'w':
		end_flags.wait = parse_duration("--wait", optarg);
		break;
	case 'j':
		end_flags.json = true;
		break;
	default:
		bad_usage("wrong flags");
	}
}

/* To be called when all flags are taken. */
static void check_end_flags(int arguments)
{
	if (!end_flags.name || !*end_flags.name || arguments)
		bad_usage("--name is needed, and no arguments");
}

#endif
