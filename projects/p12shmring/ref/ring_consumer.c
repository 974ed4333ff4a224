/* The reading end of a ring in shared memory. */
#include "program.h"

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

int main(int argc, char **argv)
{
	static const struct option options[] = {
		FLAGS_OF_BOTH, {"warmup", required_argument, NULL, 'u'}, {0},
	};
	uint64_t warmup = 0;
	struct consumer c;
	struct outcome o;

	for (int f; (f = getopt_long(argc, argv, "h", options, NULL)) != -1;)
		if (f != 'u')
			take_flag(f, help);
		else if (!(warmup = parse_count(optarg)) && strcmp(optarg, "0"))
			bad_usage("--warmup: \"%s\" is no number", optarg);
	check_flags(argc - optind);

	end_flags.wait += now_ns();
	seat_join(&there, end_flags.name, end_flags.wait, ring_check);
	if (flags.echo)
		seat_join(&back, flags.back_name, end_flags.wait, ring_check);
	consumer_init(&c, there.memory, gone);
	if (flags.echo) {
		struct producer p;

		producer_init(&p, back.memory, gone);
		o = echo(&c, &p);
	} else {
		o = consume(&c, warmup, style_of_flags());
	}
	print_outcome(&o, "received", end_flags.json);
	return finish();
}
