/* Taking up what the dispatcher before has left. */
#ifndef RECOVER_H
#define RECOVER_H

#include <ctype.h>
#include <time.h>

#include "run.h"

#define REMAINS_AT_MOST 15 /* seconds that killed processes may take to go */

/* Finds the result of a job in the log. */
static bool recorded(int64_t id, char result[200])
{
	static const char *const logs[] = {"log", "log.1"};
	bool found = false;
	for (int i = 0; i < 2 && !found; i++) {
		int fd = openat(state, logs[i], O_RDONLY | O_CLOEXEC);
		FILE *f = fd >= 0 ? fdopen(fd, "r") : NULL;
		char line[200];
		int64_t of;
		int at;
		while (f && fgets(line, sizeof line, f))
			if (sscanf(line, "%" SCNd64 " %*d %n", &of, &at) == 1 && of == id) {
				line[strcspn(line, "\n")] = '\0';
				strcpy(result, line + at);
				found = true;
			}
		if (f)
			fclose(f);
	}
	return found;
}

/* Reads a whole file of /proc; NULL if that is not allowed. */
static char *read_environ(const char *pid, size_t *len)
{
	char path[300];
	size_t room = 0;
	ssize_t n = 0;
	char *text = NULL;
	snprintf(path, sizeof path, "/proc/%s/environ", pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	for (*len = 0; n >= 0; *len += n) {
		if (room - *len < 4096 && !(text = realloc(text, room += 65536)))
			die("out of memory");
		if ((n = read(fd, text + *len, room - *len)) <= 0)
			break;
	}
	close(fd);
	return text;
}

static bool has_variable(const char *env, size_t len, const char *variable)
{
	size_t n = strlen(variable) + 1; /* with its NUL */
	const char *at = env;
	while ((at = memmem(at, env + len - at, variable, n)))
		if (at++ == env || at[-2] == '\0')
			return true;
	return false;
}

/* Kills the processes with a job's environment. Says if it found any. */
static bool kill_marked(int64_t id)
{
	bool found = false;
	DIR *proc = opendir("/proc");
	set_mark(id);
	for (struct dirent *e; proc && (e = readdir(proc));) {
		size_t len;
		pid_t pid = isdigit((unsigned char)e->d_name[0]) ? atoi(e->d_name) : getpid();
		char *env = pid != getpid() ? read_environ(e->d_name, &len) : NULL;
		if (env && has_variable(env, len, state_mark) && has_variable(env, len, id_mark)) {
			found = true;
			kill(pid, SIGKILL);
		}
		free(env);
	}
	if (proc)
		closedir(proc);
	return found;
}

/*
 * Kills what still runs of a job whose dispatcher is gone, so that it does not run twice
 * at a time. Says whether nothing is left.
 */
static bool kill_remains(int64_t id)
{
	static const struct timespec pause = {0, 2000000};
	struct timespec now, end;
	job_name name;
	bool gone = false;
	int out = openat(state, name_of(name, "output", id), O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += REMAINS_AT_MOST;
	do {
		/*
		 * A process that was killed between its fork and its exec has not got the
		 * mark yet, but the output and the lock on it.
		 */
		gone = !kill_marked(id) && (out < 0 || flock(out, LOCK_EX | LOCK_NB) == 0);
		if (!gone)
			nanosleep(&pause, NULL);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (!gone && now.tv_sec < end.tv_sec);
	if (out >= 0)
		close(out);
	return gone;
}

/* Removes drafts of processes that are gone and output of jobs that are. */
static void sweep(void)
{
	int fd = openat(state, "new", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	for (struct dirent *e; dir && (e = readdir(dir));) {
		pid_t pid = atoi(e->d_name);
		if (e->d_name[0] != '.' && (pid <= 0 || (kill(pid, 0) != 0 && errno == ESRCH)))
			unlinkat(fd, e->d_name, 0);
	}
	if (dir)
		closedir(dir);

	int64_t *ids;
	size_t n = list_ids("output", &ids);
	for (size_t i = 0; i < n; i++) {
		job_name name;
		if (faccessat(state, name_of(name, "running", ids[i]), F_OK, AT_SYMLINK_NOFOLLOW) != 0)
			unlinkat(state, name_of(name, "output", ids[i]), 0);
	}
	free(ids);
}

static void recover(void)
{
	int64_t *ids;
	size_t n = list_ids("running", &ids);
	for (size_t i = 0; i < n; i++) {
		char result[200];
		job_name from, to;
		if (recorded(ids[i], result)) {
			report(ids[i], result);
			continue;
		}
		if (!kill_remains(ids[i])) {
			say("Dispatcher: Job %" PRId64 " was interrupted, but is still running and cannot be killed",
				ids[i]);
			continue;
		}
		/* Said first: it may begin no more often than is said. */
		say("Dispatcher: Job %" PRId64 " was interrupted; queued again", ids[i]);
		if (renameat(state, name_of(from, "running", ids[i]), state, name_of(to, "jobs", ids[i])) != 0)
			die_of("rename", from);
	}
	free(ids);
	sweep();
}

#endif
