/*
 * tamper kill N CALL,CALL,... program [argument...]
 * tamper delay MICROSECONDS CALL,CALL,... program [argument...]
 *
 * Runs a program and kills it when it is about to make one of these system calls for
 * the Nth time; or lets time pass before each, in one thread at a time. What it does
 * before its first mkdir or mkdirat, in the loader and in a runtime, does not count.
 * Its threads are watched too, and its children until they become another program.
 * The exit status is the program's; 128 and the signal for one killed.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CALLS = 1024, PIDS = 1 << 22 };

#define CALL(name) {#name, SYS_##name}
static const struct {
	const char *name;
	unsigned number;
} calls[] = {
#ifdef SYS_mkdir /* the first architectures have the calls without "at", too */
	CALL(mkdir), CALL(link), CALL(rename), CALL(renameat), CALL(unlink), CALL(vfork),
#endif
	CALL(mkdirat), CALL(linkat), CALL(renameat2), CALL(unlinkat), CALL(clone), CALL(clone3),
	CALL(openat), CALL(close), CALL(write), CALL(pwrite64), CALL(fsync), CALL(flock), CALL(fcntl),
	CALL(utimensat), CALL(mq_open), CALL(mq_timedsend), CALL(mq_timedreceive), CALL(mq_notify),
	CALL(wait4), CALL(waitid),
};

static bool wanted[CALLS];
static bool known[PIDS];
static bool begun, killing;
static long n;
static pid_t held; /* a thread that is let wait; the others go on */
static struct timespec hold_until;

/* True: the thread is to wait. */
static bool before_call(pid_t program, pid_t tid, unsigned long long call)
{
#ifdef SYS_mkdir
	begun = begun || call == SYS_mkdir;
#endif
	begun = begun || call == SYS_mkdirat;
	if (!begun || call >= CALLS || !wanted[call])
		return false;
	if (killing) {
		if (--n == 0)
			kill(program, SIGKILL);
		return false;
	}
	clock_gettime(CLOCK_MONOTONIC, &hold_until);
	hold_until.tv_nsec += n * 1000;
	hold_until.tv_sec += hold_until.tv_nsec / 1000000000;
	hold_until.tv_nsec %= 1000000000;
	held = tid;
	return true;
}

static bool past(const struct timespec *when)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec > when->tv_sec || (now.tv_sec == when->tv_sec && now.tv_nsec >= when->tv_nsec);
}

/* Waits for the next thing that happens, and lets the held thread go at its time. */
static pid_t next_event(int *status)
{
	while (held) {
		pid_t tid = waitpid(-1, status, __WALL | WNOHANG);
		if (tid != 0)
			return tid;
		if (past(&hold_until)) {
			ptrace(PTRACE_SYSCALL, held, NULL, NULL);
			held = 0;
		} else {
			usleep(1000);
		}
	}
	return waitpid(-1, status, __WALL);
}

static void go_on(pid_t program, pid_t tid, int status)
{
	int sig = WSTOPSIG(status), event = status >> 16, pass = 0;
	struct __ptrace_syscall_info info;
	if (event == PTRACE_EVENT_EXEC && tid != program) {
		ptrace(PTRACE_DETACH, tid, NULL, NULL);
		return;
	}
	if (sig == (SIGTRAP | 0x80)) {
		if (ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof info, &info) > 0 &&
		    info.op == PTRACE_SYSCALL_INFO_ENTRY && before_call(program, tid, info.entry.nr))
			return;
	} else if (sig == SIGSTOP && !known[tid]) {
		known[tid] = true; /* this is how a new one begins */
	} else if (event == 0) {
		pass = sig;
	}
	ptrace(PTRACE_SYSCALL, tid, NULL, (void *)(long)pass); /* it may be dead */
}

int main(int argc, char **argv)
{
	if (argc < 5)
		return 125;
	killing = strcmp(argv[1], "kill") == 0;
	n = atol(argv[2]);
	for (char *call = strtok(argv[3], ","); call; call = strtok(NULL, ","))
		for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
			if (strcmp(call, calls[i].name) == 0)
				wanted[calls[i].number] = true;

	int result = 0, status;
	pid_t program = fork();
	if (program == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 && raise(SIGSTOP) == 0)
			execv(argv[4], argv + 4);
		perror("tamper");
		_exit(126);
	}
	if (waitpid(program, &status, 0) != program)
		return 125;
	if (!WIFSTOPPED(status))
		return WEXITSTATUS(status);
	known[program] = true;
	ptrace(PTRACE_SETOPTIONS, program, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC |
		PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_EXITKILL);
	ptrace(PTRACE_SYSCALL, program, NULL, NULL);
	for (;;) {
		pid_t tid = next_event(&status);
		if (tid < 0 && errno == EINTR)
			continue;
		if (tid < 0) /* there is none left */
			return WIFSIGNALED(result) ? 128 + WTERMSIG(result) : WEXITSTATUS(result);
		if (WIFSTOPPED(status)) {
			go_on(program, tid, status);
			continue;
		}
		known[tid] = false;
		if (tid == program)
			result = status;
	}
}
