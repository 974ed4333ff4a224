/*
 * workers.h - processes that filter a share of the rows each, and are replaced when they
 * die.
 */
#ifndef WORKERS_H
#define WORKERS_H

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "filter.h"

enum { MAX_WORKERS = 256, ATTEMPTS = 5 };

struct slot {
	uint32_t first, last; /* rows; the last is not included */
	_Atomic uint64_t pixels;
	double milliseconds;
	_Atomic int done;
};

static const char *part; /* an output that is being written */
static pid_t workers[MAX_WORKERS + 1];

static void clean(void)
{
	for (int i = 0; i <= MAX_WORKERS; i++)
		if (workers[i] > 0)
			kill(workers[i], SIGKILL);
	if (part)
		unlink(part);
}

__attribute__((noreturn, format(printf, 1, 2)))
static void die(const char *format, ...)
{
	va_list args;

	clean();
	fputs("shm_image_filter: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static void on_signal(int sig)
{
	clean();
	signal(sig, SIG_DFL);
	raise(sig);
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static const char *milliseconds(double ms)
{
	static char text[2][32];
	static int turn;

	turn = !turn;
	snprintf(text[turn], sizeof(text[turn]), ms < 10 ? "%.1fms" : "%.0fms", ms);
	return text[turn];
}

static void share(struct slot *slots, int n, uint32_t rows)
{
	for (int i = 0; i < n; i++) {
		slots[i].first = (uint32_t)((uint64_t)i * rows / n);
		slots[i].last = (uint32_t)((uint64_t)(i + 1) * rows / n);
	}
}

static void start_worker(const struct task *t, struct slot *slots, int i)
{
	pid_t parent = getpid();

	slots[i].done = 0;
	slots[i].pixels = 0;
	fflush(stdout);
	workers[i] = fork();
	if (workers[i] == -1)
		die("fork: %s", strerror(errno));
	if (workers[i] > 0)
		return;
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	double start = now_ms();
	filter_band(t, slots[i].first, slots[i].last, &slots[i].pixels);
	slots[i].milliseconds = now_ms() - start;
	slots[i].done = 1;
	_exit(0);
}

/* phase has a worker filter the rows of each slot; it returns how long all took. */
static double phase(const struct task *t, struct slot *slots, int first, int end, bool say)
{
	int attempts[MAX_WORKERS + 1] = {0}, left = end - first;
	double start = now_ms();

	for (int i = first; i < end; i++)
		start_worker(t, slots, i);
	while (left > 0) {
		int status, i = first;
		pid_t pid = waitpid(-1, &status, 0);

		if (pid == -1 && errno == EINTR)
			continue;
		while (i < end && workers[i] != pid)
			i++;
		if (pid == -1 || i == end)
			die("waitpid: %s", strerror(errno));
		workers[i] = 0;
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && slots[i].done) {
			if (say)
				printf("[Worker %d] Done (%s)\n", i + 1, milliseconds(slots[i].milliseconds));
			left--;
			continue;
		}
		if (++attempts[i] == ATTEMPTS)
			die("worker %d died the %dth time", i + 1, ATTEMPTS);
		printf("[Worker %d] Died (%s %d), replaced\n", i + 1, WIFSIGNALED(status) ? "signal" : "exit status",
			WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
		start_worker(t, slots, i);
	}
	return now_ms() - start;
}

#endif
