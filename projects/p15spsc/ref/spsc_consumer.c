/* The reading end of a queue in shared memory. */
#include "../../internal/seats/ref/flags.h"
#include "end.h"
#include "traffic.h"

static const char help[] =
	"usage: spsc_consumer [flags]\n\n"
	"Reads the numbers that spsc_producer writes, all of them, and checks each one.\n\n"
	"flags:\n"
	"  -h, --help           show this help\n"
	"      --name name      name of the shared memory object, such as /queue\n"
	"      --wait duration  how long to wait for the other end to come (default 10s)\n"
	"      --json           print the result as JSON\n\n"
	"example:\n"
	"  spsc_producer --name /queue --count 1M &\n"
	"  spsc_consumer --name /queue\n";

int main(int argc, char **argv)
{
	static const struct option options[] = {END_FLAGS, {0}};
	uint64_t warm, total, start;
	struct end e;

	for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;)
		take_end_flag(c, help);
	check_end_flags(argc - optind);

	seat_join(&at, end_flags.name, now_ns() + end_flags.wait, queue_check);
	end_init(&e, at.memory, false);
	total = e.h->promised;
	/* The first queueful does not count: both sides run at speed only then. */
	warm = e.h->capacity < total ? e.h->capacity : total;
	consume(&e, 0, warm);
	start = now_ns();
	consume(&e, warm, total);
	if (end_flags.json)
		printf("{\"count\":%llu,\"ns\":%llu}\n", (unsigned long long)(total - warm),
			(unsigned long long)(now_ns() - start));
	else
		printf("received %llu items in order\n", (unsigned long long)total);
	return finish();
}
