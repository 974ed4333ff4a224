/*
 * pc_join - take part in a run of producer_consumer from another process.
 *
 *	pc_join --producers=1 --consumers=1 /object
 */
#include <getopt.h>

#include "object.h"
#include "options.h"

static const char *const reasons[] = {
	[INTERRUPTED] = "the run was interrupted",
	[DEADLOCK] = "deadlock: all threads wait",
	[DIED] = "another member of the run died",
	[NO_OUTPUT] = "a member could not write its output",
};

static void help(void)
{
	puts("usage: pc_join [flags] NAME\n\n"
	     "Adds producers and consumers to the run of producer_consumer whose shared memory has\n"
	     "this name, until there are no more items.\n\n"
	     "flags:\n"
	     "  -h, --help            show this help\n"
	     "      --producers int   threads that produce\n"
	     "      --consumers int   threads that consume\n"
	     "      --quiet           print no line for an item\n"
	     "      --turn int        items that a thread may move before it lets others in (default 1)\n"
	     "      --cpus string     any: the kernel chooses; one: its threads stay on one (default \"any\")\n"
	     "      --patience int    seconds to wait for the run to be there (default 10)\n\n"
	     "example:\n"
	     "  producer_consumer --producers=0 --guests=1 --name=/buffer &\n"
	     "  pc_join --producers=1 /buffer");
	exit(0);
}

static void *run(void *part)
{
	take_part(part);
	return NULL;
}

int main(int argc, char **argv)
{
	static const struct option flags[] = {
		{ "help", no_argument, NULL, 'h' }, { "producers", required_argument, NULL, 'p' },
		{ "consumers", required_argument, NULL, 'c' }, { "quiet", no_argument, NULL, 'q' },
		{ "turn", required_argument, NULL, 'n' }, { "patience", required_argument, NULL, 't' },
		{ "cpus", required_argument, NULL, 'u' }, { 0 },
	};
	static struct part part[MAX_MEMBERS];
	static pthread_t thread[MAX_MEMBERS];
	int count[2] = { 0, 0 }, patience = 10, turn = 1, cpu = ANY_CPU, flag, fd, n = 0;
	bool quiet = false, together = false;

	while ((flag = getopt_long(argc, argv, "h", flags, NULL)) != -1) {
		switch (flag) {
		case 'h': help(); break;
		case 'p': count[PRODUCER] = (int)number("pc_join", "producers", optarg, 0, 500); break;
		case 'c': count[CONSUMER] = (int)number("pc_join", "consumers", optarg, 0, 500); break;
		case 'n': turn = (int)number("pc_join", "turn", optarg, 1, 1000000); break;
		case 't': patience = (int)number("pc_join", "patience", optarg, 0, 3600); break;
		case 'u': together = one_cpu("pc_join", optarg); break;
		case 'q': quiet = true; break;
		default: return 2;
		}
	}
	if (argc - optind != 1 || count[0] + count[1] == 0)
		bad_usage("pc_join", argc - optind != 1 ? "NAME" : "producers", argc - optind != 1 ? "none" : "0");
	if (together && (cpu = sched_getcpu()) == -1) {
		fprintf(stderr, "pc_join: sched_getcpu: %s\n", strerror(errno));
		return 1;
	}
	struct buffer *b = attach(argv[optind], &fd, patience);
	if (b == NULL) {
		fprintf(stderr, "pc_join: %s: %s\n", argv[optind], errno == ENOENT ? "no run has this name" : strerror(errno));
		return 1;
	}
	struct watch w = { .b = b, .part = part, .parts = count[PRODUCER] + count[CONSUMER],
			   .program = "pc_join", .name = argv[optind] };
	int error = watch(w, fd);
	if (error != 0) {
		fprintf(stderr, "pc_join: %s: %s\n", argv[optind], strerror(error));
		return 1;
	}
	lock(b);
	for (int kind = PRODUCER; kind <= CONSUMER; kind++)
		for (int i = 0; i < count[kind]; i++, n++)
			part[n] = (struct part){ .b = b, .me = join(b, kind), .quiet = quiet, .turn = turn, .cpu = cpu };
	unlock(b);
	error = part[n - 1].me == -1 ? EAGAIN : 0;
	for (int i = 0; i < n && error == 0; i++)
		error = pthread_create(&thread[i], NULL, run, &part[i]);
	if (error != 0) {
		/* The run cannot go on without those that have joined. */
		lock(b);
		stop_run(b, DIED);
		unlock(b);
		fprintf(stderr, "pc_join: %s: %s\n", argv[optind], strerror(error));
		return 1;
	}
	for (int i = 0; i < n; i++)
		pthread_join(thread[i], NULL);
	if (b->stop != GOES_ON) {
		fprintf(stderr, "pc_join: %s: %s\n", argv[optind], reasons[b->stop]);
		return 1;
	}
	return 0;
}
