/* Running jobs, and what becomes of their output and their results. */
#ifndef RUN_H
#define RUN_H

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include "job.h"

#define MAX_LOG (1 << 20) /* bytes, from which on the log is set aside */

struct run {
	struct job job;
	pid_t pid; /* of the group's leader; 0: this place is free */
	bool killed;
};

static struct run *running;
static long workers = 1;
static long runs; /* how many are in use */
static int log_error; /* of standard output */

static void write_log(const char *text, size_t len)
{
	while (len > 0 && !log_error) {
		ssize_t n = write(STDOUT_FILENO, text, len);
		if (n < 0 && errno != EINTR)
			log_error = errno;
		if (n > 0) {
			text += n;
			len -= n;
		}
	}
}

/* Prints a line at once. */
__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
	char *line;
	va_list args;
	va_start(args, format);
	int len = vasprintf(&line, format, args);
	va_end(args);
	if (len < 0)
		die("out of memory");
	line[len] = '\n'; /* in place of the NUL: a whole line is one write */
	write_log(line, len + 1);
	free(line);
}

static char state_mark[PATH_MAX + 16], id_mark[40]; /* a job's environment */

static void set_mark(int64_t id)
{
	snprintf(state_mark, sizeof state_mark, "JOB_STATE=%s", state_path);
	snprintf(id_mark, sizeof id_mark, "JOB_ID=%" PRId64, id);
}

/* Starts a job's processes, with an empty input and a file for output; 0 or an errno. */
static int execute(const struct job *j, pid_t *pid)
{
	extern char **environ;
	job_name name;
	size_t n = 0;
	while (environ[n])
		n++;
	char **env = calloc(n + 3, sizeof *env);
	if (!env)
		return ENOMEM;
	set_mark(j->id);
	n = 0;
	for (char **v = environ; *v; v++) /* less the mark of a job that we may be part of */
		if (strncmp(*v, "JOB_STATE=", 10) != 0 && strncmp(*v, "JOB_ID=", 7) != 0)
			env[n++] = *v;
	env[n++] = state_mark;
	env[n] = id_mark;

	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int out = open_file(name_of(name, "output", j->id), O_TRUNC | O_APPEND);
	/* The processes share the lock, and keep it when this descriptor is closed. */
	int error = null < 0 || flock(out, LOCK_EX | LOCK_NB) != 0 ? errno : 0;
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, all;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, null, 0);
	posix_spawn_file_actions_adddup2(&files, out, 1);
	posix_spawn_file_actions_adddup2(&files, out, 2);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setsigmask(&attr, &none);
	char *const argv[] = {"/bin/sh", "-c", j->command, NULL};
	if (!error)
		error = posix_spawn(pid, argv[0], &files, &attr, argv, env);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	free(env);
	close(null);
	close(out);
	return error;
}

/* Appends a job's result to the log. */
static void record(const struct job *j, const char *result)
{
	char line[200];
	struct stat st;
	int fd = open_file("log", O_APPEND);
	int len = snprintf(line, sizeof line, "%" PRId64 " %ld %s\n", j->id, j->priority, result);
	if (write(fd, line, len) != len || fstat(fd, &st) != 0)
		die_of("write", "log");
	close(fd);
	if (st.st_size > MAX_LOG && renameat(state, "log", state, "log.1") != 0)
		die_of("rename", "log");
}

static void copy_output(const char *name)
{
	static char chunk[1 << 16];
	char last = '\n';
	ssize_t n;
	int fd = openat(state, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return; /* the job could not be started */
	while ((n = read(fd, chunk, sizeof chunk)) > 0) {
		write_log(chunk, n);
		last = chunk[n - 1];
	}
	if (last != '\n')
		write_log("\n", 1);
	close(fd);
}

/* Writes what a finished job has written and how it ended, and forgets the job. */
static void report(int64_t id, const char *result)
{
	job_name output, run;
	copy_output(name_of(output, "output", id));
	say("Dispatcher: Job %" PRId64 " finished: %s", id, result);
	unlinkat(state, output, 0);
	if (unlinkat(state, name_of(run, "running", id), 0) != 0)
		die_of("unlink", run);
}

/*
 * Keeps the result of a job and reports it. Killed before the first, the dispatcher has
 * lost it, and the job runs again; afterwards it never does.
 */
static void done(struct job *j, const char *result)
{
	record(j, result);
	report(j->id, result);
	free(j->command);
}

/* Runs a job. The rename decides whose it is: its submitter may be giving up. */
static void start(struct job *j)
{
	job_name from, to;
	struct run *r = running;
	if (renameat(state, name_of(from, "jobs", j->id), state, name_of(to, "running", j->id)) != 0) {
		if (errno != ENOENT)
			die_of("rename", from);
		free(j->command);
		return;
	}
	char *shown = show(j->command, strlen(j->command));
	say("Dispatcher: Processing job %" PRId64 " (priority %ld): %s", j->id, j->priority, shown);
	free(shown);
	while (r->pid)
		r++;
	int error = execute(j, &r->pid);
	if (error) {
		char result[100];
		r->pid = 0;
		snprintf(result, sizeof result, "could not be started: %s", strerror(error));
		done(j, result);
		return;
	}
	r->job = *j;
	r->killed = false;
	runs++;
}

/* Waits for the jobs that have ended. */
static void reap(void)
{
	int status;
	for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
		struct run *r = running;
		while (r < running + workers && r->pid != pid)
			r++;
		if (r == running + workers)
			continue;
		r->pid = 0;
		runs--;
		if (r->killed && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
			/* It stays in running/, where the next dispatcher finds it. */
			say("Dispatcher: Job %" PRId64 " was killed; the next dispatcher will queue it again",
				r->job.id);
			free(r->job.command);
			continue;
		}
		char result[64];
		const char *name = WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : NULL;
		if (WIFEXITED(status))
			snprintf(result, sizeof result, "exit status %d", WEXITSTATUS(status));
		else if (name)
			snprintf(result, sizeof result, "killed by SIG%s", name);
		else
			snprintf(result, sizeof result, "killed by signal %d", WTERMSIG(status));
		done(&r->job, result);
	}
}

/* Kills the running jobs with their process groups. */
static void kill_all(void)
{
	for (struct run *r = running; r < running + workers; r++)
		if (r->pid) {
			r->killed = true;
			kill(-r->pid, SIGKILL);
		}
}

#endif
