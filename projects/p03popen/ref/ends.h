/* ends.h - bodies of cases: which end goes first, and whose status it is. */
#ifndef ENDS_H
#define ENDS_H

#include "bodies.h"

/*
 * Opens a stream whose command shares a pipe as standard input; a line written to
 * *go_on tells it to go on.
 */
static FILE *open_held(struct trial *t, int *go_on)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC) != 0) {
		fail(t, "pipe: %s", strerror(errno));
		return NULL;
	}
	FILE *f = open_swapped(t, 0, p[0]);
	close(p[0]);
	if (f == NULL)
		close(p[1]);
	*go_on = p[1];
	return f;
}

static void release(struct trial *t, int go_on)
{
	if (write(go_on, "go\n", 3) != 3)
		fail(t, "write: %s", strerror(errno));
	close(go_on);
}

static void early_end(struct trial *t)
{
	int go_on;
	FILE *f = open_held(t, &go_on);

	if (f == NULL)
		return;
	read_all(t, f, t->c->output); /* would hang if end of file waited for the command */
	release(t, go_on);
	must_close(t, f, t->c->returns);
}

static void late_end(struct trial *t)
{
	int go_on;
	siginfo_t info;
	FILE *f = open_held(t, &go_on);

	if (f == NULL)
		return;
	read_line(t, f, "early\n");
	/* The shell ends now; what it left in the background has the pipe. */
	if (waitid(P_ALL, 0, &info, WEXITED | WNOWAIT) != 0)
		fail(t, "waitid: %s", strerror(errno));
	release(t, go_on);
	read_all(t, f, t->c->output);
	must_close(t, f, t->c->returns);
}

/* Reads one line of many and closes. */
static void hang_up(struct trial *t)
{
	FILE *f = must_open(t, t->c->command, t->c->mode);

	if (f == NULL)
		return;
	read_line(t, f, "y\n");
	must_close(t, f, t->c->returns);
}

static void broken_pipe(struct trial *t)
{
	/* More than a pipe holds, should the command not be gone yet. */
	static const char zeros[4 << 20];
	FILE *f = must_open(t, t->c->command, t->c->mode);

	if (f == NULL)
		return;
	if (fwrite(zeros, 1, sizeof zeros, f) == sizeof zeros && fflush(f) == 0) {
		fail(t, "Write succeeded");
	} else {
		const char *error = errno_name(errno);
		say("Write failed: %s", error);
		want(t, "the error", text_of(error), text_of("EPIPE"));
	}
	must_close(t, f, t->c->returns);
}

/* What mypclose returns for a stream that was not opened, or is closed already. */
static void close_stranger(struct trial *t, FILE *f)
{
	int status = -1;

	errno = ECHILD;
	/* libc's pclose may not be asked: for it that is undefined. */
	if (t->impl->knows_its_streams)
		status = t->impl->close(f);
	check_status(t, "mypclose", status, "-1 (ECHILD)");
}

static void close_twice(struct trial *t)
{
	FILE *f = must_open(t, t->c->command, t->c->mode);

	if (f == NULL)
		return;
	must_close(t, f, t->c->returns);
	close_stranger(t, f);
}

static void close_unknown(struct trial *t)
{
	FILE *f = must_open(t, t->c->command, t->c->mode);
	FILE *unknown = fopen("/dev/null", "re");

	close_stranger(t, unknown);
	fclose(unknown);
	if (f != NULL)
		must_close(t, f, t->c->returns);
}

static void reaped(struct trial *t)
{
	FILE *f = must_open(t, t->c->command, t->c->mode);
	char line[32] = "";
	int status = -1;

	if (f == NULL)
		return;
	if (fgets(line, sizeof line, f) == NULL || waitpid(atoi(line), &status, 0) < 0)
		fail(t, "waitpid: %s", strerror(errno));
	check_status(t, "waitpid", status, "12");
	must_close(t, f, t->c->returns);
}

static void other_child(struct trial *t)
{
	siginfo_t info;
	int status = -1;
	pid_t other = fork();

	if (other == 0)
		_exit(33);
	if (other < 0 || waitid(P_PID, other, &info, WEXITED | WNOWAIT) != 0) {
		fail(t, "fork: %s", strerror(errno));
		return;
	}
	exchange(t);
	if (waitpid(other, &status, 0) < 0)
		status = -1;
	check_status(t, "waitpid", status, "33");
}

#endif
