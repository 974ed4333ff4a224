/* Two processes, each a role of transfer.c, and what they found. */
#ifndef PAIR_H
#define PAIR_H

#include <sched.h>
#include <sys/mman.h>

#include "channels.h"

static int cpus[64], ncpus;

static void pin(int process)
{
	cpu_set_t allowed, one;

	CPU_ZERO(&one);
	if (ncpus > 0) {
		CPU_SET(cpus[process % ncpus], &one);
	} else { /* the first two, if there are two */
		int n = 0;

		if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0 || CPU_COUNT(&allowed) < 2)
			return;
		for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
			if (CPU_ISSET(cpu, &allowed) && n++ == process)
				CPU_SET(cpu, &one);
	}
	if (sched_setaffinity(0, sizeof(one), &one) != 0)
		die("CPU %d: %s", ncpus ? cpus[process % ncpus] : process, strerror(errno));
}

/* The child's part: its report, as transfer prints it, goes to report. */
static void play(int process, void (*run)(unsigned char *), int report, pid_t parent)
{
	unsigned char *message;
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_IGN);
	memset(histogram, 0, sizeof(histogram)); /* what the parent has collected */
	close_ends(!process);
	dup2(report, STDOUT_FILENO);
	pin(process);
	if (process == 0)
		channel->open_out(made.out[0]);
	channel->open_in(made.in[process]);
	if (process == 1)
		channel->open_out(made.out[1]);
	message = new_message();
	run(message);
	free_message(message);
	exit(fflush(stdout) == 0 ? 0 : 1);
}

static void end_both(pid_t pids[2])
{
	for (int i = 0; i < 2; i++)
		if (pids[i] > 0) {
			kill(pids[i], SIGKILL);
			waitpid(pids[i], NULL, 0);
			pids[i] = 0;
		}
}

/* Ends the program without leaving anything. */
__attribute__((noreturn)) static void give_up(pid_t pids[2], const char *why)
{
	end_both(pids);
	remove_made();
	die("%s", why);
}

/*
 * Waits for both. Null, or why the run is worth nothing: one has failed, or they do not
 * end within a minute and 1 ms a message. A signal ends the program.
 */
static const char *wait_for(pid_t pids[2])
{
	struct timespec limit = {.tv_sec = 60 + count / 1000};
	const char *why = NULL;
	sigset_t set;
	int status;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	while (pids[0] > 0 || pids[1] > 0) {
		int sig = sigtimedwait(&set, NULL, &limit);

		if (sig == SIGINT || sig == SIGTERM)
			give_up(pids, "interrupted");
		if (sig < 0 && errno == EAGAIN)
			why = "the processes do not end";
		for (int i = 0; i < 2; i++) {
			if (pids[i] <= 0 || waitpid(pids[i], &status, WNOHANG) <= 0)
				continue;
			pids[i] = 0;
			if (status != 0 && !why)
				why = i ? "the receiver failed" : "the sender failed";
		}
		if (why)
			end_both(pids);
	}
	return why;
}

/*
 * Runs both roles and reads the report of the one that has the clock into text. Null, or
 * why there is none.
 */
static const char *run_pair(void (*first)(unsigned char *), void (*second)(unsigned char *), int clock,
	char *text, size_t room)
{
	void (*const runs[2])(unsigned char *) = {first, second};
	pid_t pids[2] = {0}, self = getpid();
	const char *why;
	int reports[2];
	ssize_t n;

	fflush(NULL);
	for (int i = 0; i < 2; i++) {
		reports[i] = memfd_create("report", MFD_CLOEXEC);
		if (reports[i] < 0)
			give_up(pids, "memfd_create failed");
		pids[i] = fork();
		if (pids[i] == 0)
			play(i, runs[i], reports[i], self);
		if (pids[i] < 0)
			give_up(pids, "fork failed");
	}
	close_ends(0);
	close_ends(1);
	why = wait_for(pids);
	n = pread(reports[clock], text, room - 1, 0);
	if (!why && n <= 0)
		why = "a process reported nothing";
	text[n > 0 ? n : 0] = 0;
	close(reports[0]);
	close(reports[1]);
	return why;
}

#endif
