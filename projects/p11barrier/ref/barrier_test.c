/*
 * barrier_test - processes that meet at a barrier of System V semaphores, again and
 * again; verifies that none runs ahead.
 */
#include <getopt.h>
#include <limits.h>

#include "run.h"

static _Noreturn void help(void)
{
	puts("usage: barrier_test [flags]\n\n"
	     "Starts processes that meet at a barrier of System V semaphores, again and again, and\n"
	     "verifies that none runs ahead. When one dies the others learn it at once.\n\n"
	     "flags:\n"
	     "      --processes number    number of processes that meet (default 5)\n"
	     "      --iterations number   number of rounds (default 3)\n"
	     "      --outside number      number of the processes that join from outside\n"
	     "      --key key             the key of the set, by which those find it (default: none)\n"
	     "      --respawn             start a process that was killed again, and mend the barrier\n"
	     "      --kill P@R            process P kills itself in round R\n"
	     "      --work ms             before each barrier, do nothing for up to so many ms\n"
	     "      --barrier kind        sysv, pthread for a pthread_barrier_t in shared memory, or\n"
	     "                            none (default \"sysv\")\n"
	     "      --quiet               no line for each process and round\n"
	     "      --time                say how long the rounds after the first one took\n"
	     "      --join                be one of the processes that another barrier_test waits for\n"
	     "      --id semid            the semid of the set, instead of its key\n"
	     "  -h, --help                show this help\n\n"
	     "example:\n"
	     "  barrier_test --processes=5 --iterations=3\n"
	     "  barrier_test --key=0x1234 --processes=3 --outside=1 & barrier_test --join --key=0x1234\n"
	     "  barrier_test --kill=2@3 --respawn");
	exit(fflush(stdout) == 0 ? 0 : 1);
}

static long number(const char *flag, const char *text, long least, long most)
{
	char *end;
	errno = 0;
	long n = strtol(text, &end, 0);
	if (end == text || *end || errno || n < least || n > most)
		bad_usage("--%s %s: not a number from %ld to %ld", flag, text, least, most);
	return n;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"processes", required_argument, NULL, 'p'}, {"iterations", required_argument, NULL, 'i'},
		{"outside", required_argument, NULL, 'o'}, {"key", required_argument, NULL, 'k'},
		{"respawn", no_argument, NULL, 'r'}, {"kill", required_argument, NULL, 'K'},
		{"work", required_argument, NULL, 'w'}, {"barrier", required_argument, NULL, 'b'},
		{"quiet", no_argument, NULL, 'q'}, {"time", no_argument, NULL, 't'},
		{"join", no_argument, NULL, 'j'}, {"id", required_argument, NULL, 'I'},
		{"index", required_argument, NULL, 'n'}, {"report", required_argument, NULL, 'R'},
		{"help", no_argument, NULL, 'h'}, {0}};
	static const char *const kinds[] = {"sysv", "pthread", "none"};
	struct place place = {.set = -1, .report = -1};
	bool joins = false, timed = false, keyed = false;
	const char *killed = NULL;
	int option, used = 0;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'p': cfg.processes = (int)number("processes", optarg, 1, MAX_PROCESSES); break;
		case 'i': cfg.iterations = (int)number("iterations", optarg, 1, 1000000000); break;
		case 'o': cfg.outside = (int)number("outside", optarg, 0, INT_MAX); break;
		case 'k': cfg.key = (key_t)number("key", optarg, 1, UINT_MAX), keyed = true; break;
		case 'r': cfg.respawn = true; break;
		case 'K': killed = optarg; break;
		case 'w': cfg.work = (int)number("work", optarg, 0, 1000000); break;
		case 'b':
			for (cfg.kind = NONE; cfg.kind >= 0 && strcmp(optarg, kinds[cfg.kind]) != 0; cfg.kind--)
				;
			if (cfg.kind < 0)
				bad_usage("--barrier is sysv, pthread or none");
			break;
		case 'q': cfg.quiet = place.quiet = true; break;
		case 't': timed = true; break;
		case 'j': joins = true; break;
		case 'I': place.set = (int)number("id", optarg, 0, INT_MAX); break;
		case 'n': place.index = (int)number("index", optarg, 1, MAX_PROCESSES); break;
		case 'R': place.report = (int)number("report", optarg, 0, INT_MAX); break;
		case 'h': help();
		default: try_help();
		}
	}
	if (optind < argc)
		bad_usage("takes no arguments");
	if (killed && (sscanf(killed, "%d@%d%n", &cfg.kill_index, &cfg.kill_round, &used) != 2 || killed[used] ||
			      cfg.kill_index < 1 || cfg.kill_round < 1))
		bad_usage("--kill %s: not P@R, a process and a round", killed);
	if (joins && (place.set >= 0) == keyed)
		bad_usage("--join needs --key or --id");
	if (joins) {
		if (keyed && (place.set = semget(cfg.key, 0, 0)) == -1)
			die("semget 0x%08x: %s", (unsigned)cfg.key, strerror(errno));
		place.kill_in = cfg.kill_round;
		return take_part(place);
	}
	if (place.set >= 0)
		bad_usage("--id is for --join");
	if (cfg.outside >= cfg.processes)
		bad_usage("--outside must be from 0 to one less than --processes");
	if (cfg.outside > 0 && !keyed)
		bad_usage("--outside needs --key");
	if (cfg.outside > 0 && cfg.respawn)
		bad_usage("--respawn: who came from outside cannot be started again");
	if (cfg.kind != SYSTEM_V && cfg.respawn)
		bad_usage("--respawn: only a barrier of System V semaphores can be mended");
	if (cfg.kill_index > cfg.processes - cfg.outside || cfg.kill_round > cfg.iterations)
		bad_usage("--kill %s: there is no such process or round", killed);
	return run(timed);
}
