/* What ring_producer and ring_consumer have in common: flags, and the rings between them. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <limits.h>

#include "../../internal/seats/ref/flags.h"
#include "traffic.h"

static struct end_of there, back;

static struct {
	char back_name[PATH_MAX];
	bool check, in_place, echo;
} flags;

#define FLAGS_OF_BOTH \
	END_FLAGS, {"check", no_argument, NULL, 'k'}, {"in-place", no_argument, NULL, 'i'}, \
	{"echo", no_argument, NULL, 'e'}

/* Takes one flag that both have; any other is wrong. */
static void take_flag(int c, const char *help)
{
	switch (c) {
	case 'k':
		flags.check = true;
		break;
	case 'i':
		flags.in_place = true;
		break;
	case 'e':
		flags.echo = true;
		break;
	default:
		take_end_flag(c, help);
	}
}

/* To be called when all flags are taken. */
static void check_flags(int arguments)
{
	check_end_flags(arguments);
	if (flags.check + flags.in_place + flags.echo > 1)
		bad_usage("--check, --in-place and --echo exclude each other");
	snprintf(flags.back_name, sizeof(flags.back_name), "%s-back", end_flags.name);
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
