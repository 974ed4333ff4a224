/* The process that makes the barrier, starts the others and verifies what they did. */
#ifndef RUN_H
#define RUN_H

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "create.h"

static int pipe_fds[2], signals;
static pid_t *pids;  /* by index - 1, 0 if it has ended */
static int running;
static bool failed, killing;

static void remove_all(void)
{
	if (board)
		shm_unlink(board_name);
	semctl(set, 0, IPC_RMID);
}

static _Noreturn __attribute__((format(printf, 1, 2))) void give_up(const char *format, ...)
{
	char text[256];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	for (int i = 0; i < cfg.processes && pids; i++)
		if (pids[i])
			kill(pids[i], SIGKILL);
	remove_all();
	die("%s", text);
}

static _Noreturn void end_by(int sig)
{
	sigset_t one;
	for (int i = 0; i < cfg.processes; i++)
		if (pids[i])
			kill(pids[i], SIGKILL);
	remove_all();
	fflush(stdout);
	sigemptyset(&one);
	sigaddset(&one, sig);
	signal(sig, SIG_DFL);
	raise(sig);
	sigprocmask(SIG_UNBLOCK, &one, NULL);
	_exit(1);
}

static void start(int index, int kill_in)
{
	char id[16], number[16], killed[32];
	char *args[16] = {"barrier_test", "--join", "--id", id, "--index", number, "--report", "3"};
	int n = 8;
	snprintf(id, sizeof id, "%d", set);
	snprintf(number, sizeof number, "%d", index);
	snprintf(killed, sizeof killed, "%d@%d", index, kill_in);
	if (cfg.quiet)
		args[n++] = "--quiet";
	if (kill_in) {
		args[n++] = "--kill";
		args[n++] = killed;
	}
	fflush(stdout);
	pid_t pid = fork();
	if (pid == -1)
		give_up("fork: %s", strerror(errno));
	if (pid == 0) {
		sigset_t none;
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		if (pipe_fds[1] != 3)
			dup2(pipe_fds[1], 3);
		else
			fcntl(3, F_SETFD, 0);
		execv("/proc/self/exe", args);
		_exit(127);
	}
	pids[index - 1] = pid;
	running++;
}

static void drain(void)
{
	struct event e;
	while (read(pipe_fds[0], &e, sizeof e) == (ssize_t)sizeof e)
		show_event(&e);
	fflush(stdout);
}

/* The barrier is mended when all have stopped, for the highest round that one has reached. */
static void mend_without(int dead)
{
	sigset_t pending;
	struct sembuf stopped = {.sem_num = ACTIVE};
	while (semctl(set, BROKEN, GETVAL) > 0) {
		if (semtimedop(set, &stopped, 1, &(struct timespec){.tv_nsec = 100000000}) == -1 && errno != EAGAIN && errno != EINTR)
			give_up("semtimedop: %s", strerror(errno));
		sigpending(&pending);
		if (sigismember(&pending, SIGINT) || sigismember(&pending, SIGTERM))
			end_by(sigismember(&pending, SIGINT) ? SIGINT : SIGTERM);
		if (semctl(set, ACTIVE, GETVAL) > 0)
			continue;
		int round = 1;
		for (int i = 0; i < cfg.processes; i++)
			if (board->reached[i] > round)
				round = board->reached[i];
		board->reached[dead - 1] = round - 1;
		board->reached[cfg.processes + dead - 1] = round - 1;
		board->round = round;
		if (mend(set, cfg.processes, round) == -1 && errno != EAGAIN)
			give_up("semop: %s", strerror(errno));
	}
}

static void ended(int index, int status)
{
	int round = board->reached[index - 1];
	pids[index - 1] = 0;
	running--;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return;
	if (cfg.respawn && WIFSIGNALED(status) && !killing) {
		mend_without(index);
		if (!cfg.quiet) {
			struct event e = {HAS_PASSED, index, board->round - 1};
			printf("[P%d] Killed by signal %d, started again in round %d\n", index, WTERMSIG(status), board->round);
			if (e.round > show.passed[index - 1])
				show_event(&e);
		}
		start(index, 0);
		return;
	}
	if (WIFSIGNALED(status) && !killing)
		fprintf(stderr, "%s: process %d was killed by signal %d in round %d\n", program_invocation_short_name, index, WTERMSIG(status), round);
	failed = true;
	killing = killing || cfg.kind == PTHREAD || cfg.respawn; /* nobody tells those who wait there */
	for (int i = 0; i < cfg.processes && killing; i++)
		if (pids[i])
			kill(pids[i], SIGKILL);
	if (!killing && break_barrier(set) == -1)
		give_up("semop: %s", strerror(errno));
}

static void supervise(void)
{
	struct signalfd_siginfo info;
	int status;
	for (int i = 1; i <= cfg.processes - cfg.outside; i++)
		start(i, i == cfg.kill_index ? cfg.kill_round : 0);
	while (running > 0) {
		struct pollfd ready[] = {{.fd = pipe_fds[0], .events = POLLIN}, {.fd = signals, .events = POLLIN}};
		if (poll(ready, 2, -1) == -1 && errno != EINTR)
			give_up("poll: %s", strerror(errno));
		if (!ready[1].revents) {
			drain();
			continue;
		}
		if (read(signals, &info, sizeof info) == (ssize_t)sizeof info && info.ssi_signo != SIGCHLD)
			end_by((int)info.ssi_signo);
		for (int i = 1; i <= cfg.processes; i++) {
			if (pids[i - 1] && waitpid(pids[i - 1], &status, WNOHANG) > 0) {
				drain(); /* all that it has written */
				ended(i, status);
			}
		}
	}
	drain();
	show_early();
}

/* Waits until those from outside have left too, after a failure for a second at most. */
static void wait_until_left(void)
{
	struct sembuf all[] = {{PLACES, (short)-cfg.processes, 0}, {PLACES, (short)cfg.processes, 0}};
	struct signalfd_siginfo info;
	for (int tries = 0; semtimedop(set, all, 2, &(struct timespec){.tv_nsec = 100000000}) == -1; tries++) {
		if (errno != EAGAIN && errno != EINTR)
			give_up("semtimedop: %s", strerror(errno));
		if (read(signals, &info, sizeof info) == (ssize_t)sizeof info && info.ssi_signo != SIGCHLD)
			end_by((int)info.ssi_signo);
		if (failed && tries == 10)
			return;
	}
	if (!clean(set, cfg.processes))
		give_up("the set was not left clean");
}

static int run(bool timed)
{
	sigset_t handled;
	const int signal_numbers[] = {SIGINT, SIGTERM};
	create();
	pids = calloc((size_t)cfg.processes, sizeof *pids);
	show.passed = calloc((size_t)cfg.processes, sizeof *show.passed);
	show.early = calloc((size_t)cfg.processes * 2, sizeof *show.early);
	if (!pids || !show.passed || !show.early || pipe2(pipe_fds, O_CLOEXEC) == -1 ||
		fcntl(pipe_fds[0], F_SETFL, O_NONBLOCK) == -1)
		give_up("%s", strerror(errno));
	sigemptyset(&handled);
	sigaddset(&handled, SIGCHLD);
	for (int i = 0; i < 2; i++) {
		struct sigaction old;
		sigaction(signal_numbers[i], NULL, &old);
		if (old.sa_handler != SIG_IGN)
			sigaddset(&handled, signal_numbers[i]);
	}
	sigprocmask(SIG_BLOCK, &handled, NULL);
	signals = signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK);
	printf("Barrier Test (%d processes, %d iterations)\n\n", cfg.processes, cfg.iterations);
	fflush(stdout);
	supervise();
	wait_until_left();
	for (int i = 0; i < cfg.processes && !failed; i++)
		if (board->reached[cfg.processes + i] != cfg.iterations)
			give_up("process %d passed %d of %d barriers", i + 1, board->reached[cfg.processes + i], cfg.iterations);
	remove_all();
	if (failed)
		die("not every process passed every barrier");
	if (timed)
		printf("%ld rounds in %.6f s\n", (long)board->timed, (double)board->elapsed / 1e9);
	puts("All processes synchronized correctly. PASS");
	return fflush(stdout) == 0 ? 0 : 1;
}

#endif
