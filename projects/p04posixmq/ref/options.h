/* The command line: what both programs share of it. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <getopt.h>

#include "place.h"

#define PLACE_OPTIONS \
	{"help", no_argument, NULL, 'h'}, {"queue", required_argument, NULL, 'Q'}, \
		{"state", required_argument, NULL, 'S'}, {"max-messages", required_argument, NULL, 'M'}, \
		{"message-size", required_argument, NULL, 'B'}

#define PLACE_HELP \
	"  -h, --help                  show this help\n" \
	"      --queue name            name of the message queue (default \"" DEFAULT_QUEUE "\")\n" \
	"      --state directory       directory of the jobs (default $XDG_RUNTIME_DIR/unpipc-jobs-QUEUE or /tmp/unpipc-jobs-UID-QUEUE)\n" \
	"      --max-messages number   number of messages that a new queue holds (default 10)\n" \
	"      --message-size bytes    bytes of a message in a new queue (default 8192)\n"

/* A whole number from least to greatest, or the end with this message. */
static long number(const char *text, long least, long greatest, const char *message)
{
	char *end;
	errno = 0;
	long n = strtol(text, &end, 10);
	if (end == text || *end || errno || n < least || n > greatest)
		bad_usage("%s", message);
	return n;
}

/* A number of seconds from least to greatest. */
static double seconds(const char *text, double least, double greatest, const char *message)
{
	char *end;
	double s = strtod(text, &end);
	if (end == text || *end || !(s >= least && s <= greatest))
		bad_usage("%s", message);
	return s;
}

/* Takes an option of PLACE_OPTIONS, other than help. */
static void place_option(int option)
{
	static const char attributes[] = "--max-messages and --message-size must be at least 1";
	switch (option) {
	case 'Q':
		place.queue = optarg;
		break;
	case 'S':
		place.state = optarg;
		break;
	case 'M':
		place.max_messages = number(optarg, 1, LONG_MAX, attributes);
		break;
	case 'B':
		place.message_size = number(optarg, 1, LONG_MAX, attributes);
		break;
	default:
		try_help();
	}
}

/* Checks what was given: mq_overview(7) for the name. */
static void check_place(void)
{
	const char *rest = place.queue + 1;
	if (place.queue[0] != '/')
		bad_usage("--queue: the name of a queue begins with a slash");
	if (!*rest || strcmp(rest, ".") == 0 || strcmp(rest, "..") == 0 || strchr(rest, '/'))
		bad_usage("--queue: the name of a queue is a slash and then no other");
	if (strlen(rest) > NAME_MAX)
		bad_usage("--queue: the name of a queue has at most 255 characters");
}

#endif
