/*
 * mypopen.h - popen(3) and pclose(3) made of pipe, fork, dup2, exec and waitpid.
 * UNPv2 4.5, APUE 15.3.
 */
#ifndef MYPOPEN_H
#define MYPOPEN_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Every open stream, so that mypclose finds its child. */
struct mypopen_stream {
	FILE *file;
	int fd;
	pid_t pid;
	struct mypopen_stream *next;
};

/*
 * The lock covers the fork, the clearing of close-on-exec and the entry in the
 * list: else another thread could fork when the descriptor is inheritable and not
 * yet in the list.
 */
static struct mypopen_stream *mypopen_streams;
static pthread_mutex_t mypopen_lock = PTHREAD_MUTEX_INITIALIZER;

/* glibc's rule: r or w, not both, and perhaps e, in any order. */
static bool mypopen_mode(const char *mode, bool *reading, bool *cloexec)
{
	bool writing = false;

	*reading = *cloexec = false;
	for (; *mode != '\0'; mode++) {
		if (*mode == 'r')
			*reading = true;
		else if (*mode == 'w')
			writing = true;
		else if (*mode == 'e')
			*cloexec = true;
		else
			return false;
	}
	return *reading != writing;
}

/* In the child, where only async-signal-safe calls are allowed. */
static _Noreturn void mypopen_exec(const char *command, int from, int to, int report)
{
	/* report is not to: if that number was free, the pipe before has taken it. */
	if (from != to)
		dup2(from, to);
	else
		fcntl(to, F_SETFD, 0);
	for (struct mypopen_stream *s = mypopen_streams; s != NULL; s = s->next)
		if (s->fd != to) /* that one is gone: dup2 has replaced it */
			close(s->fd);
	/* "--" lets a command begin with a dash, as POSIX.1-2024 has it. */
	execl("/bin/sh", "sh", "-c", "--", command, (char *)NULL);
	int e = errno;
	if (write(report, &e, sizeof e) < 0)
		_exit(126);
	_exit(127);
}

/*
 * Forks and executes the command with from as its descriptor to. An exec that fails
 * is reported through a pipe that a successful one closes. Returns the pid, or -1
 * with errno.
 */
static pid_t mypopen_start(const char *command, int from, int to)
{
	int report[2];
	int e = 0;
	ssize_t n;

	if (pipe2(report, O_CLOEXEC) < 0)
		return -1;
	pid_t pid = fork();
	if (pid == 0)
		mypopen_exec(command, from, to, report[1]);
	if (pid < 0)
		e = errno;
	close(report[1]);
	while (pid > 0 && (n = read(report[0], &e, sizeof e)) < 0 && errno == EINTR)
		;
	close(report[0]);
	if (e == 0)
		return pid;
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	errno = e;
	return -1;
}

/* See popen(3). Any number of threads may call it at once. */
static FILE *mypopen(const char *command, const char *mode)
{
	bool reading, cloexec;
	int fd[2];

	if (!mypopen_mode(mode, &reading, &cloexec)) {
		errno = EINVAL;
		return NULL;
	}
	struct mypopen_stream *s = malloc(sizeof *s);
	if (s == NULL)
		return NULL;
	if (pipe2(fd, O_CLOEXEC) < 0) {
		free(s);
		return NULL;
	}
	int mine = reading ? fd[0] : fd[1], theirs = reading ? fd[1] : fd[0];
	s->fd = mine;
	s->file = fdopen(mine, reading ? "r" : "w");

	pthread_mutex_lock(&mypopen_lock);
	s->pid = s->file == NULL ? -1 : mypopen_start(command, theirs, reading ? 1 : 0);
	int e = errno;
	if (s->pid >= 0) {
		if (!cloexec)
			fcntl(mine, F_SETFD, 0);
		s->next = mypopen_streams;
		mypopen_streams = s;
	}
	pthread_mutex_unlock(&mypopen_lock);

	close(theirs);
	if (s->pid >= 0)
		return s->file;
	if (s->file != NULL)
		fclose(s->file);
	else
		close(mine);
	free(s);
	errno = e;
	return NULL;
}

/*
 * See pclose(3). A stream that mypopen did not return, or that is closed already,
 * gives -1 and ECHILD; of the pointer only the value is looked at. When data was
 * left in the buffer and could not be written, a status of 0 becomes -1, as in glibc.
 */
static int mypclose(FILE *file)
{
	pthread_mutex_lock(&mypopen_lock);
	struct mypopen_stream **p = &mypopen_streams;
	while (*p != NULL && (*p)->file != file)
		p = &(*p)->next;
	struct mypopen_stream *s = *p;
	if (s != NULL) {
		/*
		 * From here on no child of another thread may keep the descriptor. Its
		 * close waits until the lock is free: a full pipe may make it sleep.
		 */
		fcntl(s->fd, F_SETFD, FD_CLOEXEC);
		*p = s->next;
	}
	pthread_mutex_unlock(&mypopen_lock);
	if (s == NULL) {
		errno = ECHILD;
		return -1;
	}
	pid_t pid = s->pid;
	free(s);
	int lost = fclose(file) == 0 ? 0 : errno;
	int status;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	if (status == 0 && lost != 0) {
		errno = lost;
		return -1;
	}
	return status;
}

#endif
