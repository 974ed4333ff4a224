/*
 * lockcost - what synchronization costs: workers increment a counter under a lock, or
 * take turns. What is checked is described in doc.go; the Go program has the same flags
 * and makes the same calls.
 */
#include <getopt.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "../../measure/ref/outcome.h"
#include "turns.h"

enum users { ANY, ONE, PROCESSES, TURNS };

static const struct kind {
	const char *name;
	void (*make)(void); /* the objects, once */
	void (*join)(void); /* each worker */
	void (*work)(int worker, uint64_t n);
	enum users users;
} kinds[] = {
	{"mutex", make_normal, NULL, mutex_work, ANY},
	{"mutex_libc", make_normal, NULL, mutex_work, ANY},
	{"mutex_fused", make_normal, NULL, mutex_work, ANY},
	{"mutex_errorcheck", make_errorcheck, NULL, mutex_work, ANY},
	{"mutex_recursive", make_recursive, NULL, mutex_work, ANY},
	{"mutex_robust", make_robust, NULL, mutex_work, ANY},
	{"mutex_robust_fused", make_robust, NULL, mutex_work, ANY},
	{"rwlock_read", make_rwlock, NULL, rwlock_read_work, ONE},
	{"rwlock_write", make_rwlock, NULL, rwlock_write_work, ANY},
	{"spin", make_spin, NULL, spin_work, ANY},
	{"sem", make_sem, NULL, sem_work, ANY},
	{"sem_libc", make_sem, NULL, sem_work, ANY},
	{"sem_named", make_sem_named, NULL, sem_named_work, ANY},
	{"semop", make_semop, NULL, semop_work, ANY},
	{"semop_undo", make_semop, NULL, semop_undo_work, ANY},
	{"reclock", NULL, NULL, reclock_work, PROCESSES},
	{"reclock_ofd", NULL, open_own, reclock_ofd_work, ANY},
	{"cond_turns", make_cond, NULL, cond_work, TURNS},
	{"barrier_turns", make_barrier, NULL, barrier_work, TURNS},
	{"sem_turns", make_sems, NULL, sem_turns_work, TURNS},
	{"semop_turns", make_semop, NULL, semop_turns_work, TURNS},
};
static const struct kind *kind;
static long workers = 1;
static uint64_t count = 1000;

/* ---- the workers ----------------------------------------------------------- */

/* What one worker does: count is of all together, or of each where they take turns. */
static uint64_t share(long worker)
{
	return kind->users == TURNS ? count : count / workers + ((uint64_t)worker < count % workers);
}

static void *play(void *index)
{
	int worker = (int)(intptr_t)index;

	if (workers > 1)
		keep_to_cpu(worker);
	if (kind->join)
		kind->join();
	page->ready++;
	await_begin(worker);
	kind->work(worker, share(worker));
	page->done[worker] = now_ns();
	return NULL;
}

static pid_t children[MAX_WORKERS];
static pthread_t threads[MAX_WORKERS];

static void start_workers(void)
{
	pid_t self = getpid();

	for (long i = 0; i < workers; i++) {
		if (!processes) {
			must(pthread_create(&threads[i], NULL, play, (void *)(intptr_t)i), "pthread_create");
			continue;
		}
		children[i] = fork();
		may(children[i], "fork");
		if (children[i] == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (getppid() == self)
				play((void *)(intptr_t)i);
			_exit(0);
		}
	}
}

/* Waits for a worker that is a process; one that has failed ends all. False: none ended. */
static bool reap(int options)
{
	int status;
	pid_t pid = waitpid(-1, &status, options);

	may(pid, "waitpid");
	for (int i = 0; i < MAX_WORKERS; i++) {
		if (children[i] == pid)
			children[i] = 0;
		else if (children[i] > 0 && pid > 0 && status != 0)
			kill(children[i], SIGKILL);
	}
	if (pid > 0 && status != 0)
		die("process %d has failed", (int)pid);
	return pid > 0;
}

static void await_ready(void)
{
	const struct timespec pause = {0, 100000};

	while (page->ready < workers) {
		nanosleep(&pause, NULL);
		if (processes)
			reap(WNOHANG);
	}
}

static void await_end(void)
{
	for (long i = 0; i < workers; i++)
		if (processes)
			reap(0);
		else
			must(pthread_join(threads[i], NULL), "pthread_join");
}

static void run(void)
{
	int64_t begin = 0, last = 0, want = kind->users == TURNS ? workers * (int64_t)count : (int64_t)count;

	make_page();
	page->workers = workers;
	page->maker = getpid();
	if (kind->make)
		kind->make();
	start_workers();
	await_ready();
	let_go();
	await_end();
	for (long i = 0; i < workers; i++) {
		if (page->woken[i] > begin)
			begin = page->woken[i];
		if (page->done[i] > last)
			last = page->done[i];
	}
	if (page->counter != want)
		die("%s: the counter is at %lld after %lld increments", kind->name,
			(long long)page->counter, (long long)want);
	print_outcome(count, last > begin ? last - begin : 1, NULL); /* a clock may tick slowly */
}

/* ---- the command line ------------------------------------------------------ */

static const char usage[] =
	"usage: lockcost [flags]\n\n"
	"Workers increment a counter under a lock, or take turns; the time they took goes to\n"
	"standard output as JSON.\n\n"
	"flags:\n"
	"      --lock LOCK    which; an unknown one is answered with all there are\n"
	"      --workers N    how many, up to 16; at least 2 where they take turns (default 1)\n"
	"      --processes    the workers are processes, not threads\n"
	"      --count N      increments of all workers together, or rounds (default 1000)\n"
	"  -h, --help         show this help\n\n"
	"example:\n"
	"  lockcost --lock mutex --workers 4 --count 1000000\n";

static void choose(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strcmp(kinds[i].name, name) == 0)
			kind = &kinds[i];
	if (kind)
		return;
	fputs("lockcost: --lock is one of", stderr);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		fprintf(stderr, "%s %s", i ? "," : "", kinds[i].name);
	fputc('\n', stderr);
	try_help();
}

static uint64_t number(const char *text)
{
	char *end;
	long long n;

	errno = 0;
	n = strtoll(text, &end, 10);
	if (end == text || *end || errno || n < 1 || n > INT64_C(1) << 62)
		bad_usage("--workers and --count are at least 1");
	return n;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"lock", 1, NULL, 'l'}, {"workers", 1, NULL, 'w'}, {"processes", 0, NULL, 'p'},
		{"count", 1, NULL, 'n'}, {"help", 0, NULL, 'h'}, {0},
	};
	const char *name = "";
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case 'h':
			fputs(usage, stdout);
			return 0;
		case 'l':
			name = optarg;
			break;
		case 'w':
			workers = number(optarg);
			break;
		case 'p':
			processes = true;
			break;
		case 'n':
			count = number(optarg);
			break;
		default:
			try_help();
		}
	}
	choose(name);
	if (workers > MAX_WORKERS || (kind->users == TURNS && workers < 2))
		bad_usage("--workers is from 1 to 16, and at least 2 where they take turns");
	if (kind->users == ONE && workers > 1)
		bad_usage("this lock lets several in: --workers is 1");
	if (kind->users == PROCESSES && workers > 1 && !processes)
		bad_usage("this lock is between processes: --processes");
	if (optind < argc)
		bad_usage("takes no arguments");
	run();
	return finish();
}
