#include "unp_process.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Everything the child needs, made before the fork: it may not allocate. */
struct plan {
	const struct unp_spawn *sp;
	char **paths;
	char **argv;
	char **sh_argv; /* argv for /bin/sh when the file has no format the kernel knows */
	char **envp;
	int *fds; /* working copy */
	/* Written by the child into the parent's memory, which vfork shares. */
	volatile int step;
	volatile int error;
};

static void unpack(const char *s, size_t n, char **vec)
{
	for (size_t i = 0; i < n; i++) {
		vec[i] = (char *)s;
		s += strlen(s) + 1;
	}
}

static int make_plan(const struct unp_spawn *sp, struct plan *p)
{
	if (sp->npaths == 0 || sp->nargs == 0 || sp->nfds > INT_MAX)
		return EINVAL;
	size_t n = sp->npaths + (sp->nargs + 1) + (sp->nargs + 2) + (sp->nenv + 1);
	char **vec = calloc(n, sizeof *vec);
	int *fds = calloc(sp->nfds + 1, sizeof *fds);
	if (vec == NULL || fds == NULL) {
		free(vec);
		free(fds);
		return ENOMEM;
	}
	p->sp = sp;
	p->paths = vec;
	p->argv = p->paths + sp->npaths;
	p->sh_argv = p->argv + sp->nargs + 1;
	p->envp = p->sh_argv + sp->nargs + 2;
	p->fds = fds;
	unpack(sp->paths, sp->npaths, p->paths);
	unpack(sp->args, sp->nargs, p->argv);
	unpack(sp->env, sp->nenv, p->envp);
	p->sh_argv[0] = (char *)"/bin/sh"; /* [1] is the file, set when it is known */
	memcpy(p->sh_argv + 2, p->argv + 1, (sp->nargs - 1) * sizeof *vec);
	if (sp->nfds > 0)
		memcpy(fds, sp->fds, sp->nfds * sizeof *fds);
	return 0;
}

/* ---- In the child: only async-signal-safe calls, and no return. ---- */

static _Noreturn void fail(struct plan *p, int step, int error)
{
	p->step = step;
	p->error = error;
	_exit(127);
}

static void reset_signals(const struct unp_spawn *sp)
{
	struct sigaction sa = {.sa_handler = SIG_DFL};
	for (int s = 1; s <= 64; s++) {
		/* KILL and STOP cannot be set; glibc keeps 32 and 33 to itself. */
		if (s == SIGKILL || s == SIGSTOP || s == 32 || s == 33)
			continue;
		sa.sa_handler = (sp->ignored >> (s - 1)) & 1 ? SIG_IGN : SIG_DFL;
		sigaction(s, &sa, NULL);
	}
}

static int rewire(struct plan *p)
{
	int n = (int)p->sp->nfds;
	int *fds = p->fds;

	/* A source that an earlier slot overwrites must be moved up first. */
	for (int i = 0; i < n; i++) {
		if (fds[i] < 0 || fds[i] >= i || fds[fds[i]] == fds[i])
			continue;
		int up = fcntl(fds[i], F_DUPFD_CLOEXEC, n);
		if (up < 0)
			return errno;
		fds[i] = up;
	}
	for (int i = 0; i < n; i++) {
		if (fds[i] < 0)
			close(i);
		else if (fds[i] != i ? dup2(fds[i], i) < 0 : fcntl(i, F_SETFD, 0) < 0)
			return errno;
	}
	for (size_t i = 0; i < p->sp->nclosing; i++)
		if (p->sp->closing[i] >= n)
			close(p->sp->closing[i]);
	return 0;
}

/* Refused only where the hard limit was lowered below it; the caller's then stays. */
static void limit_files(uint64_t soft)
{
	struct rlimit files;

	if (soft == 0 || getrlimit(RLIMIT_NOFILE, &files) != 0)
		return;
	files.rlim_cur = soft;
	setrlimit(RLIMIT_NOFILE, &files);
}

/* execvp(3)'s rules: go on past what is not there, but remember a refusal. */
static int exec_first(struct plan *p)
{
	int refused = 0;

	for (size_t i = 0; i < p->sp->npaths; i++) {
		execve(p->paths[i], p->argv, p->envp);
		switch (errno) {
		case EACCES:
			refused = EACCES;
			break;
		case ENOENT:
		case ENOTDIR:
		case ESTALE: /* these three come from network file systems */
		case ENODEV:
		case ETIMEDOUT:
			break;
		case ENOEXEC:
			p->sh_argv[1] = p->paths[i];
			execve(p->sh_argv[0], p->sh_argv, p->envp);
			return ENOEXEC;
		default:
			return errno;
		}
	}
	return refused ? refused : errno;
}

static _Noreturn void child(struct plan *p)
{
	const struct unp_spawn *sp = p->sp;
	int e;

	if (sp->pgid >= 0 && setpgid(0, sp->pgid) != 0)
		fail(p, UNP_SPAWN_PGID, errno);
	if (sp->dir != NULL && chdir(sp->dir) != 0)
		fail(p, UNP_SPAWN_CHDIR, errno);
	if ((e = rewire(p)) != 0)
		fail(p, UNP_SPAWN_DUP, e);
	limit_files(sp->nofile); /* after dup2, which it may forbid */
	/* Dispositions before the mask: a handler of the parent must never run here. */
	reset_signals(sp);
	sigset_t blocked;
	sigemptyset(&blocked);
	for (int s = 1; s <= 64; s++)
		if ((sp->blocked >> (s - 1)) & 1)
			sigaddset(&blocked, s);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
	fail(p, UNP_SPAWN_EXEC, exec_first(p));
}

/*
 * vfork rather than fork: the parent's thread stands still until the exec, so a
 * failure is told through shared memory (no pipe, no descriptor needed, which
 * matters when descriptors have run out), and the cost does not grow with the
 * parent's memory. All signals are blocked meanwhile, as in posix_spawn(3).
 */
static pid_t start(struct plan *p)
{
	pid_t pid = vfork();
	if (pid == 0)
		child(p);
	return pid;
}

int unp_spawn(const struct unp_spawn *sp, pid_t *pid, int *step)
{
	struct plan p = {.step = 0};
	sigset_t all, old;

	*step = UNP_SPAWN_FORK;
	int e = make_plan(sp, &p);
	if (e != 0)
		return e;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pid_t child_pid = start(&p);
	e = child_pid < 0 ? errno : p.error;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (child_pid > 0 && e != 0) {
		*step = p.step;
		while (waitpid(child_pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	free(p.paths);
	free(p.fds);
	if (e == 0)
		*pid = child_pid;
	return e;
}
