/*
 * unp_process.h - start a program: fork, rewire descriptors, exec.
 *
 * Needs a shim because a forked child of a multi-threaded (Go) process may call
 * only async-signal-safe functions until it execs, and Go code is not that.
 * See vfork(2), execve(2), signal-safety(7); UNPv2 1.5, APUE 8.
 */
#ifndef UNP_PROCESS_H
#define UNP_PROCESS_H

#include "unp.h"

/* The step of unp_spawn that failed. */
enum unp_spawn_step {
	UNP_SPAWN_FORK = 1, /* no child was made */
	UNP_SPAWN_PGID,
	UNP_SPAWN_DUP,
	UNP_SPAWN_CHDIR,
	UNP_SPAWN_EXEC,
};

/*
 * Strings are packed: n strings, each with its NUL, one behind the other.
 * All memory is borrowed.
 */
struct unp_spawn {
	const char *paths; /* program files, tried in this order as execvp(3) does */
	size_t npaths;
	const char *args; /* argv */
	size_t nargs;
	const char *env;
	size_t nenv;
	const char *dir; /* working directory, NULL: the caller's */
	const int *fds;	 /* fds[i] becomes descriptor i of the program; negative: closed */
	size_t nfds;
	const int *closing; /* further descriptors to close; those below nfds are left alone */
	size_t nclosing;
	pid_t pgid;	  /* -1: the caller's process group, 0: its own, else joined */
	uint64_t ignored; /* bit s-1: signal s ignored; every other one at its default */
	uint64_t blocked; /* bit s-1: signal s blocked */
	uint64_t nofile;  /* soft RLIMIT_NOFILE; 0: the caller's */
};

/*
 * Starts a program and returns when it has been exec'ed, or has failed to be.
 *
 * A child whose set-up or exec fails is already reaped; *step then says where.
 * Errors: those of vfork(2), setpgid(2), dup2(2), chdir(2), execve(2); EMFILE when
 * fds is a cycle and no descriptor is free to turn it; ENOMEM; EINVAL for npaths
 * or nargs == 0, or nfds > INT_MAX.
 */
int unp_spawn(const struct unp_spawn *sp, pid_t *pid, int *step);

/*
 * What this process was exec'ed with, before a language runtime put its handlers
 * in and raised its limits. A shell hands these on.
 */
struct unp_initial {
	uint64_t ignored; /* bit s-1: signal s */
	uint64_t blocked;
	uint64_t nofile; /* soft RLIMIT_NOFILE; 0: unknown */
};
void unp_initial(struct unp_initial *in);

/*
 * Signals noted by a handler alone: no thread has to be started, or woken up, before
 * they are safe. See sigaction(2), UNPv2 5.7.
 *
 * unp_catch has a signal noted, or ignored if this process was exec'ed ignoring it.
 * unp_first_caught is the first that was noted, 0 if none was; it takes nothing.
 * unp_next_caught sleeps until one was noted and takes it; the same signal is noted
 * once until then, and of several the least is taken first.
 * unp_die gives a signal its default action and raises it.
 * Errors: those of sigaction(2).
 */
int unp_catch(int sig);
int unp_first_caught(void);
int unp_next_caught(void);
int unp_die(int sig);

#endif
