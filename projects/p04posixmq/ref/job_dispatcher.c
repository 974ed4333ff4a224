/* job_dispatcher: runs the jobs of a message queue, highest priority first. */
#include <poll.h>

#include "intake.h"
#include "notify.h"
#include "options.h"
#include "recover.h"

static long max_waiting = 100;
static enum { SERVING, DRAINING, STOPPING } phase;
static bool failed;

/* Starts as many jobs as may run, and takes as many as may wait. */
static void dispatch(void)
{
	for (;;) {
		if (phase == SERVING)
			take(max_waiting);
		/* If not all is out of the queue, what is first there may be first of all. */
		if (phase == SERVING && runs < workers && waiting.n >= (size_t)max_waiting) {
			age();
			take(waiting.n + 1);
		}
		if (phase == STOPPING || runs >= workers || waiting.n == 0)
			break;
		struct job j = next_waiting();
		start(&j);
	}
	if (log_error && phase != STOPPING) {
		fprintf(stderr, "%s: write standard output: %s\n", program_invocation_short_name, strerror(log_error));
		failed = true;
		phase = STOPPING;
	}
}

static bool told; /* of a message, so there is no registration */

static void handle(int sig)
{
	switch (sig) {
	case SIGUSR1:
		told = true;
		break;
	case SIGCHLD:
		reap();
		break;
	case SIGUSR2:
		if (phase != SERVING)
			break;
		collect();
		phase = DRAINING;
		say("Dispatcher draining: %ld running, %zu waiting", runs, waiting.n);
		break;
	default:
		if (phase == STOPPING) {
			kill_all();
			break;
		}
		phase = STOPPING;
		say("Dispatcher stopping: %ld running", runs);
	}
}

static void run(void)
{
	struct pollfd ready = {events[0], POLLIN, 0};
	for (;;) {
		if (told && phase == SERVING) {
			/* First, so that a message that comes after the last one taken is told of. */
			told = false;
			if (!arm()) {
				failed = true;
				phase = STOPPING;
			}
		}
		dispatch();
		if (runs == 0 && (phase == STOPPING || (phase == DRAINING && waiting.n == 0)))
			return;
		poll(&ready, 1, -1);
		for (char sig; read(events[0], &sig, 1) == 1;)
			handle(sig);
	}
}

/* Says what stays behind, and removes the queue if nothing does. */
static void end(void)
{
	int64_t *ids;
	int counter = lock_counter();
	size_t left = list_ids("jobs", &ids);
	free(ids);
	left += list_ids("running", &ids);
	free(ids);
	if (mq_getattr(queue, &attr) == 0 && left == 0 && attr.mq_curmsgs == 0)
		mq_unlink(place.queue);
	close(counter);
	say("Dispatcher ended; jobs left: %zu", left);
}

/* Takes the dispatcher's lock, which ends with this process. */
static void take_lock(void)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = open_file("lock", 0);
	while (fcntl(fd, F_SETLK, &lock) != 0) {
		if (errno != EAGAIN && errno != EACCES)
			die_of("fcntl", "lock");
		pid_t pid = owner(); /* closes the file, which is no loss without the lock */
		if (pid)
			die("%s: a dispatcher is running already (process %d)", place.queue, pid);
	}
	if (ftruncate(fd, 0) != 0 || dprintf(fd, "%" PRId64 "\n", waiting.aging) < 0)
		die_of("write", "lock");
}

/* Signals go into a pipe. Those that are ignored, as in a script, stay so. */
static void open_events(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGCHLD, SIGUSR2, SIGUSR1};
	if (pipe2(events, O_CLOEXEC | O_NONBLOCK) != 0)
		die("pipe2: %s", strerror(errno));
	for (int i = 0; i < 5 - by_thread; i++) {
		struct sigaction action;
		sigaction(signals[i], NULL, &action);
		if (i < 2 && action.sa_handler == SIG_IGN)
			continue;
		action = (struct sigaction){.sa_handler = on_signal, .sa_flags = SA_RESTART};
		sigaction(signals[i], &action, NULL);
	}
	signal(SIGPIPE, SIG_IGN);
}

static void help(void)
{
	puts("usage: job_dispatcher [flags] \n"
	     "\n"
	     "Runs the jobs that submit_job queues, each by /bin/sh -c, highest priority first and\n"
	     "first come first served within one. What a job writes is printed when it has ended,\n"
	     "with its exit status. A job that was running when the dispatcher was killed is run\n"
	     "again by the next one, which says so.\n"
	     "SIGTERM or SIGINT: ends when the running jobs have, a second one kills them.\n"
	     "SIGUSR2 (submit_job --shutdown): runs everything queued, then ends.\n"
	     "\n"
	     "flags:\n" PLACE_HELP
	     "      --workers number        number of jobs at once (default 1)\n"
	     "      --max-waiting number    number of jobs taken out of the queue that wait to be run (default 100)\n"
	     "      --aging seconds         seconds in which a waiting job gains one priority (default: never)\n"
	     "      --notify string         how the queue tells of a message: signal or thread (default \"signal\")\n"
	     "\n"
	     "example:\n"
	     "  job_dispatcher --workers=4 --aging=60");
	exit(0);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {PLACE_OPTIONS, {"workers", required_argument, NULL, 'w'},
		{"max-waiting", required_argument, NULL, 'm'}, {"aging", required_argument, NULL, 'a'},
		{"notify", required_argument, NULL, 'n'}, {0}};
	int option;
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1)
		switch (option) {
		case 'h':
			help();
			break;
		case 'w':
			workers = number(optarg, 1, 10000, "--workers must be from 1 to 10000");
			break;
		case 'm':
			max_waiting = number(optarg, 0, LONG_MAX, "--max-waiting must not be negative");
			break;
		case 'a':
			waiting.aging = (int64_t)(NANO *
				seconds(optarg, 0, MAX_AGING, "--aging must be from 0 to 86400"));
			break;
		case 'n':
			by_thread = strcmp(optarg, "thread") == 0;
			if (!by_thread && strcmp(optarg, "signal") != 0)
				bad_usage("--notify must be signal or thread");
			break;
		default:
			place_option(option);
		}
	if (optind < argc)
		bad_usage("takes no arguments");
	check_place();
	running = calloc(workers, sizeof *running);
	if (!running)
		die("out of memory");
	/* Before there is a lock by which others find this process. */
	open_events();
	open_state(true);
	take_lock();
	queue = open_queue(O_RDONLY | O_NONBLOCK, &attr);
	if (!arm())
		return 1;
	say("Dispatcher running, queue: %s", place.queue);
	recover();
	collect();
	run();
	end();
	return failed;
}
