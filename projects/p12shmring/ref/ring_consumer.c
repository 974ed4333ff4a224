/* The reading end of a ring in shared memory. */
#include <limits.h>

#include "flags.h"
#include "traffic.h"

static const char help[] =
	"usage: ring_consumer [flags]\n\n"
	"Receives what ring_producer sends, to its end, and checks every message.\n\n"
	"flags:\n"
	"  -h, --help            show this help\n"
	"      --name name       name of the shared memory object, such as /ring\n"
	"      --wait duration   how long to wait for the other end to come (default 10s)\n"
	"      --check           every byte of every message is made from its number and verified (at both ends)\n"
	"      --in-place        only numbers are written and compared, in the ring: nothing is copied\n"
	"      --echo            every message comes back through a second ring, and is timed (at both ends)\n"
	"      --json            print the result as JSON\n"
	"      --warmup int      messages that do not count in --json's figures\n\n"
	"example:\n"
	"  ring_producer --name /ring --count 1M --size 1KB &\n"
	"  ring_consumer --name /ring\n";

static struct end_of there, back;
static bool with_back;

static bool gone(void)
{
	return peer_gone(&there) || (with_back && peer_gone(&back));
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"help", no_argument, NULL, 'h'}, {"name", required_argument, NULL, 'n'},
		{"wait", required_argument, NULL, 'w'}, {"check", no_argument, NULL, 'k'},
		{"in-place", no_argument, NULL, 'i'}, {"echo", no_argument, NULL, 'e'},
		{"json", no_argument, NULL, 'j'}, {"warmup", required_argument, NULL, 'u'}, {0},
	};
	uint64_t wait = UINT64_C(10000000000), warmup = 0;
	bool json = false, check = false, in_place = false;
	const char *name = NULL;
	char back_name[PATH_MAX];
	struct consumer c;
	struct outcome o;

	for (int f; (f = getopt_long(argc, argv, "h", options, NULL)) != -1;)
		switch (f) {
		case 'h':
			fputs(help, stdout);
			return finish();
		case 'n':
			name = optarg;
			break;
		case 'w':
			wait = parse_duration(optarg);
			break;
		case 'k':
			check = true;
			break;
		case 'i':
			in_place = true;
			break;
		case 'e':
			with_back = true;
			break;
		case 'j':
			json = true;
			break;
		case 'u':
			if (!(warmup = parse_count(optarg)) && strcmp(optarg, "0"))
				bad_usage("--warmup: \"%s\" is no number", optarg);
			break;
		default:
			bad_usage("wrong flags");
		}
	if (!name || !*name || optind < argc)
		bad_usage("--name is needed, and no arguments");
	if (check + in_place + with_back > 1)
		bad_usage("--check, --in-place and --echo exclude each other");

	wait += now_ns();
	seat_join(&there, name, wait, ring_check);
	if (with_back) {
		snprintf(back_name, sizeof(back_name), "%s-back", name);
		seat_join(&back, back_name, wait, ring_check);
	}
	consumer_init(&c, there.memory, gone);
	if (with_back) {
		struct producer p;

		producer_init(&p, back.memory, gone);
		o = echo(&c, &p);
	} else {
		o = consume(&c, warmup, check ? CHECK : in_place ? IN_PLACE : COPY);
	}
	print_outcome(&o, "received", json);
	return finish();
}
