/* What ring_producer and ring_consumer have in common: flags, and the rings between them. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <getopt.h>
#include <limits.h>

#include "../../internal/cli/ref/amount.h"
#include "traffic.h"

static struct end_of there, back;

static struct {
	const char *name;
	char back_name[PATH_MAX];
	uint64_t wait; /* ns */
	bool check, in_place, echo, json;
} flags = {.wait = UINT64_C(10000000000)};

#define FLAGS_OF_BOTH \
	{"help", no_argument, NULL, 'h'}, {"name", required_argument, NULL, 'n'}, \
	{"wait", required_argument, NULL, 'w'}, {"check", no_argument, NULL, 'k'}, \
	{"in-place", no_argument, NULL, 'i'}, {"echo", no_argument, NULL, 'e'}, \
	{"json", no_argument, NULL, 'j'}

/* Takes one flag that both have; any other is wrong. */
static void take_flag(int c, const char *help)
{
	switch (c) {
	case 'h':
		fputs(help, stdout);
		exit(finish());
	case 'n':
		flags.name = optarg;
		break;
	case 'w':
		flags.wait = parse_duration("--wait", optarg);
		break;
	case 'k':
		flags.check = true;
		break;
	case 'i':
		flags.in_place = true;
		break;
	case 'e':
		flags.echo = true;
		break;
	case 'j':
		flags.json = true;
		break;
	default:
		bad_usage("wrong flags");
	}
}

/* To be called when all flags are taken. */
static void check_flags(int arguments)
{
	if (!flags.name || !*flags.name || arguments)
		bad_usage("--name is needed, and no arguments");
	if (flags.check + flags.in_place + flags.echo > 1)
		bad_usage("--check, --in-place and --echo exclude each other");
	snprintf(flags.back_name, sizeof(flags.back_name), "%s-back", flags.name);
}

static enum style style_of_flags(void)
{
	return flags.check ? CHECK : flags.in_place ? IN_PLACE : COPY;
}

static bool gone(void)
{
	return peer_gone(&there) || (flags.echo && peer_gone(&back));
}

#endif
