/* submit_job: queues a job for job_dispatcher. */
#include <math.h>
#include <signal.h>
#include <time.h>

#include "job.h"
#include "list.h"
#include "options.h"

static volatile sig_atomic_t caught;
static volatile sig_atomic_t queue = -1; /* once it is open */
static bool nonblock;
static double timeout; /* seconds; 0: none */

/*
 * Without SA_RESTART mq_send returns EINTR. Should it not have begun yet, it is not to
 * sleep any more.
 */
static void on_signal(int sig)
{
	int error = errno;
	caught = sig;
	if (queue >= 0)
		fcntl(queue, F_SETFL, O_NONBLOCK);
	errno = error;
}

static void catch_signals(void)
{
	static const int ending[] = {SIGINT, SIGTERM};
	for (int i = 0; i < 2; i++) {
		struct sigaction action;
		sigaction(ending[i], NULL, &action);
		if (action.sa_handler == SIG_IGN)
			continue;
		action = (struct sigaction){.sa_handler = on_signal};
		sigaction(ending[i], &action, NULL);
	}
}

static int send_message(const char *message, size_t len, long priority)
{
	if (caught) {
		errno = EINTR;
		return -1;
	}
	if (!timeout || nonblock)
		return mq_send(queue, message, len, priority);
	struct timespec deadline;
	double whole, fraction = modf(timeout, &whole);
	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += (time_t)whole;
	deadline.tv_nsec += (long)(fraction * NANO);
	if (deadline.tv_nsec >= NANO) {
		deadline.tv_sec++;
		deadline.tv_nsec -= NANO;
	}
	return mq_timedsend(queue, message, len, priority, &deadline);
}

/* The job is not queued: says why. */
static _Noreturn void give_up(int error, const struct mq_attr *attr)
{
	if (caught) { /* end as the signal would have, so that a shell's loop stops too */
		signal(caught, SIG_DFL);
		raise(caught);
	}
	const char *forlorn = owner() == 0 ? ", and no dispatcher is running" : "";
	if (error == ETIMEDOUT)
		die("%s is still full after %g s (%ld messages)%s; the job is not queued", place.queue,
			timeout, attr->mq_maxmsg, forlorn);
	if (error == EAGAIN)
		die("%s is full (%ld messages)%s; the job is not queued", place.queue, attr->mq_maxmsg,
			forlorn);
	die("mq_send %s: %s", place.queue, strerror(error));
}

static void submit(long priority, const char *command)
{
	struct mq_attr attr;
	char *message;
	catch_signals();
	open_state(true);
	atexit(remove_draft);
	write_draft(priority, command);

	/*
	 * The queue is opened under the lock: a dispatcher that ends removes it under
	 * the lock, too, and only when no job waits.
	 */
	int counter = lock_counter();
	queue = open_queue(O_WRONLY | (nonblock ? O_NONBLOCK : 0), &attr);
	int64_t id = next_number();
	int len = asprintf(&message, "%" PRId64 " %s", id, command);
	if (len < 0)
		die("out of memory");
	if (len > attr.mq_msgsize)
		die("%s: the job needs a message of %d bytes, and %ld are the limit", place.queue, len,
			attr.mq_msgsize);
	publish(counter, id);

	if (send_message(message, len, priority) != 0) {
		int error = errno;
		job_name name;
		/* If the file is gone, a dispatcher has taken the job. */
		if (unlinkat(state, name_of(name, "jobs", id), 0) == 0)
			give_up(error, &attr);
		if (errno != ENOENT)
			die_of("unlink", name);
	}
	free(message);
	printf("Job %" PRId64 " queued (priority %ld)\n", id, priority);
}

static void help(void)
{
	puts("usage: submit_job [flags] \n"
	     "\n"
	     "Queues a command for job_dispatcher, which runs it by /bin/sh -c. Without a dispatcher\n"
	     "it stays queued until there is one. If the queue is full, submit_job waits for room.\n"
	     "\n"
	     "flags:\n" PLACE_HELP
	     "      --priority int          of the job, from 0 to 32767; the highest is run first\n"
	     "      --cmd command           the command\n"
	     "      --list                  show what runs and what waits, in the order in which it will run\n"
	     "      --shutdown              let the dispatcher run everything queued and end, and wait for that\n"
	     "      --timeout seconds       fail if the queue is still full, or the dispatcher still there, after this many seconds\n"
	     "      --nonblock              fail if the queue is full; do not wait for the dispatcher's end\n"
	     "\n"
	     "example:\n"
	     "  submit_job --priority=31 --cmd=\"echo URGENT\"\n"
	     "  submit_job --list\n"
	     "  submit_job --shutdown");
	exit(0);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {PLACE_OPTIONS, {"priority", required_argument, NULL, 'p'},
		{"cmd", required_argument, NULL, 'c'}, {"list", no_argument, NULL, 'l'},
		{"shutdown", no_argument, NULL, 's'}, {"timeout", required_argument, NULL, 't'},
		{"nonblock", no_argument, NULL, 'n'}, {0}};
	const char *command = NULL;
	bool listing = false, ending = false;
	long priority = 0;
	int option;
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1)
		switch (option) {
		case 'h':
			help();
			break;
		case 'p':
			priority = number(optarg, 0, MAX_PRIORITY, "--priority must be from 0 to 32767");
			break;
		case 'c':
			command = optarg;
			break;
		case 'l':
			listing = true;
			break;
		case 's':
			ending = true;
			break;
		case 't':
			timeout = seconds(optarg, 1e-9, INT_MAX, "--timeout must be more than 0");
			break;
		case 'n':
			nonblock = true;
			break;
		default:
			place_option(option);
		}
	if (optind < argc)
		bad_usage("takes no arguments (a command goes into quotes)");
	check_place();
	if ((command != NULL) + listing + ending != 1)
		bad_usage("wants one of --cmd, --list and --shutdown");
	if (command && !*command)
		bad_usage("--cmd is empty");
	signal(SIGPIPE, SIG_IGN); /* a write to a closed standard output is an error */
	if (listing)
		list();
	else if (ending)
		shut_down(nonblock, timeout);
	else
		submit(priority, command);
	if (fflush(stdout) != 0)
		die("write standard output: %s", strerror(errno));
	return 0;
}
