/* test_myrwlock: readers and writers share a lock made of a mutex and condition variables. */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "flags.h"
#include "statistics.h"

static union {
	pthread_t thread;
	pid_t pid;
} workers[MAX_WORKERS];

static void *thread(void *arg)
{
	await_start();
	work((unsigned)(uintptr_t)arg);
	return NULL;
}

/* In a worker process, when the parent is killed: the lock is given back, then it ends. */
static void end_now(int signo)
{
	int error = errno;

	(void)signo;
	start(now());
	errno = error;
}

static _Noreturn void child(unsigned i, pid_t parent)
{
	struct sigaction end = {.sa_handler = end_now};
	sigset_t none;

	sigaction(SIGTERM, &end, NULL);
	signal(SIGINT, SIG_IGN); /* of the terminal: the parent ends the test */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0)
		die("prctl: %s", strerror(errno));
	if (getppid() == parent) {
		await_start();
		work(i);
	}
	_exit(0);
}

static void start_workers(void)
{
	pid_t parent = getpid();

	for (unsigned i = 0; i < test.readers + test.writers; i++) {
		if (!processes) {
			int error = pthread_create(&workers[i].thread, NULL, thread, (void *)(uintptr_t)i);
			if (error)
				die("pthread_create: %s", strerror(error));
			continue;
		}
		workers[i].pid = fork();
		if (workers[i].pid == 0)
			child(i, parent);
		if (workers[i].pid < 0)
			die("fork: %s", strerror(errno));
	}
	if (!processes)
		wait_started();
}

/* One worker process has failed. The lock may be lost: in memory of our own the rest can be killed. */
static _Noreturn void child_failed(unsigned i, int status)
{
	const char *kind = i < test.readers ? "reader" : "writer";
	unsigned number = i < test.readers ? i + 1 : i + 1 - test.readers;

	end_now(0);
	for (unsigned k = 0; k < test.readers + test.writers; k++)
		if (workers[k].pid > 0) {
			if (!board_name)
				kill(workers[k].pid, SIGKILL);
			waitpid(workers[k].pid, NULL, 0);
		}
	leave();
	if (WIFSIGNALED(status))
		die("%s %u, process %d: killed by signal %d", kind, number, workers[i].pid * -1, WTERMSIG(status));
	die("%s %u has failed", kind, number);
}

/* Waits for worker processes that have ended, or all; returns how many run. */
static unsigned reap(int options)
{
	unsigned running = 0;
	int status;

	for (unsigned i = 0; i < test.readers + test.writers; i++) {
		if (workers[i].pid <= 0)
			continue;
		if (waitpid(workers[i].pid, &status, options) != workers[i].pid) {
			running++;
			continue;
		}
		workers[i].pid *= -1;
		if (status != 0)
			child_failed(i, status);
	}
	return running;
}

/* Waits for the end of the test. Returns the signal that brought it forward, or 0. */
static int wait_for_end(const sigset_t *signals)
{
	int signo = 0, got;

	while (!signo && (processes || end_of_test() > now())) {
		struct timespec left = timespec(processes ? INT64_MAX : end_of_test() - now());
		got = sigtimedwait(signals, NULL, &left);
		if (got == SIGCHLD && reap(WNOHANG) == 0)
			break; /* they know when the test is over */
		if (got == SIGINT || got == SIGTERM) {
			signo = got;
			end_now(0);
			signal(SIGINT, SIG_DFL); /* the second one ends it at once */
			signal(SIGTERM, SIG_DFL);
			sigprocmask(SIG_UNBLOCK, signals, NULL);
		}
	}
	if (processes)
		reap(0);
	else
		for (unsigned i = 0; i < test.readers + test.writers; i++)
			pthread_join(workers[i].thread, NULL);
	return signo;
}

int main(int argc, char **argv)
{
	struct sigaction old;
	sigset_t signals;
	bool joined = false, failed;
	int signo;

	read_flags(argc, argv);
	/* A write to a closed standard output must not end a process that holds the lock. */
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&signals);
	for (int i = 0; i < 2; i++) /* unless it is ignored, as in a script's background */
		if (sigaction((int[]){SIGINT, SIGTERM}[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaddset(&signals, (int[]){SIGINT, SIGTERM}[i]);
	if (processes)
		sigaddset(&signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	if (shared_name)
		board = attach(shared_name, policy, &joined);
	else
		board = new_board(map_shared(sizeof *board, -1), policy ? policy : FAIR);
	tally = map_shared(sizeof *tally + (test.readers + test.writers) * sizeof *tally->worker, -1);
	/* One more is the line that says that there were more. */
	tally->events = events < 0 ? INT64_MAX : events == 0 ? 0 : events + 1;
	printf("My RWLock Test (%u reader%s, %u writer%s, %.6g second%s)\n", test.readers, s(test.readers), test.writers,
	       s(test.writers), (double)test.duration / SECOND, test.duration == SECOND ? "" : "s");
	if (joined)
		printf("Joined %s (policy: %s)\n", board_name,
		       (const char *[]){"", "reader", "writer", "fair"}[board->lock.policy & 3]);
	puts("");
	fflush(stdout);
	start_workers();
	signo = wait_for_end(&signals);
	failed = print_statistics();
	leave();
	if (fflush(stdout) != 0)
		die("write standard output: %s", strerror(errno));
	if (signo)
		raise(signo);
	return failed;
}
