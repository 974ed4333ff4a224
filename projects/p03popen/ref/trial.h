/* trial.h - what the bodies of the cases are made of. */
#ifndef TRIAL_H
#define TRIAL_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct text {
	const char *data; /* may hold NUL */
	size_t len;
};
#define TEXT(s) {(s), sizeof(s) - 1}

/* A popen and pclose to put on trial. */
struct implementation {
	const char *name;
	FILE *(*open)(const char *command, const char *mode);
	int (*close)(FILE *stream);
	/* Closing a stream that it did not open is defined, and is ECHILD. */
	bool knows_its_streams;
};

struct trial;

struct test_case {
	const char *name, *shows; /* what it shows */
	const char *command;	  /* as printed; some bodies run it with more around it */
	const char *mode;
	void (*body)(struct trial *);
	struct text input;   /* written to the command */
	struct text output;  /* read from the command, or what it printed elsewhere */
	const char *returns; /* by mypclose */
	const char *note;    /* printed beside PASS */
};

struct trial {
	const struct test_case *c;
	const struct implementation *impl;
	bool failed;
};

/* The environment variable by which a body tells its command something. */
#define VARIABLE "MYPOPEN_TEST"

/* stdout is fully buffered, so a body may close or replace descriptor 1. */
__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	fputs("  ", stdout);
	vprintf(format, ap);
	putchar('\n');
	va_end(ap);
}

__attribute__((format(printf, 2, 3))) static void fail(struct trial *t, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	t->failed = true;
	fputs("  FAIL: ", stdout);
	vprintf(format, ap);
	putchar('\n');
	va_end(ap);
}

/* Prints text as it would stand in a C string. */
static void put_escaped(struct text s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = s.data[i];
		if (c == '\n')
			fputs("\\n", stdout);
		else if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < ' ' || c > '~')
			printf("\\x%02x", c);
		else
			putchar(c);
	}
}

static void say_text(const char *before, struct text s, const char *after)
{
	printf("  %s", before);
	put_escaped(s);
	puts(after);
}

static struct text text_of(const char *s)
{
	return (struct text){s, strlen(s)};
}

static void want(struct trial *t, const char *what, struct text got, struct text wanted)
{
	if (got.len == wanted.len && (got.len == 0 || memcmp(got.data, wanted.data, got.len) == 0))
		return;
	t->failed = true;
	printf("  FAIL: %s is \"", what);
	put_escaped(got);
	fputs("\", not \"", stdout);
	put_escaped(wanted);
	puts("\"");
}

static const char *errno_name(int e)
{
	static const struct {
		int number;
		const char *name;
	} names[] = {{EINVAL, "EINVAL"}, {ECHILD, "ECHILD"}, {EBADF, "EBADF"}, {EPIPE, "EPIPE"},
		{EMFILE, "EMFILE"}, {EINTR, "EINTR"}, {E2BIG, "E2BIG"}, {ENOMEM, "ENOMEM"},
		{EAGAIN, "EAGAIN"}};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].number == e)
			return names[i].name;
	return strerror(e);
}

enum { OUTCOME_SIZE = 64 };

/* Words what pclose returned, or waitpid stored: the exit status, the signal, the error. */
static struct text outcome(char buf[OUTCOME_SIZE], int status, int error)
{
	if (status == -1)
		snprintf(buf, OUTCOME_SIZE, "-1 (%s)", errno_name(error));
	else if (WIFEXITED(status))
		snprintf(buf, OUTCOME_SIZE, "%d", WEXITSTATUS(status));
	else
		snprintf(buf, OUTCOME_SIZE, "killed by signal %d", WTERMSIG(status));
	return text_of(buf);
}

/* Tells a status that came back, which must be as wanted. */
static void check_status(struct trial *t, const char *who, int status, const char *wanted)
{
	char buf[OUTCOME_SIZE];
	struct text got = outcome(buf, status, errno);

	say("%s returned: %s", who, got.data);
	want(t, "the status", got, text_of(wanted));
}

/* Opens a stream that there must be; NULL and a failure else. */
static FILE *must_open(struct trial *t, const char *command, const char *mode)
{
	FILE *f = t->impl->open(command, mode);

	if (f == NULL)
		fail(t, "mypopen returned: NULL (%s)", errno_name(errno));
	return f;
}

static void must_close(struct trial *t, FILE *f, const char *wanted)
{
	int status = t->impl->close(f);

	check_status(t, "mypclose", status, wanted);
}

/* A failure that must be: f is NULL. */
static void must_fail(struct trial *t, FILE *f, const char *wanted)
{
	int e = errno;

	if (f != NULL) {
		fail(t, "mypopen returned a stream");
		t->impl->close(f);
		return;
	}
	say("mypopen returned: NULL (%s)", errno_name(e));
	want(t, "the error", text_of(errno_name(e)), text_of(wanted));
}

static void write_text(struct trial *t, FILE *f, struct text s)
{
	if (fwrite(s.data, 1, s.len, f) != s.len || fflush(f) != 0)
		fail(t, "Write failed: %s", errno_name(errno));
}

/* Reads to end of file and tells what it read, which must be as wanted. */
static void read_all(struct trial *t, FILE *f, struct text wanted)
{
	char *data;
	size_t len;
	FILE *all = open_memstream(&data, &len);
	int c;

	while ((c = getc(f)) != EOF)
		putc(c, all);
	if (ferror(f))
		fail(t, "Read failed: %s", errno_name(errno));
	fclose(all);
	if (len > 0)
		say_text("Read: ", (struct text){data, len}, "");
	want(t, "what was read", (struct text){data, len}, wanted);
	free(data);
}

/* Reads a line and tells it, which must be as wanted. */
static void read_line(struct trial *t, FILE *f, const char *wanted)
{
	char line[64] = "";

	if (fgets(line, sizeof line, f) == NULL)
		fail(t, "Read failed: %s", errno_name(errno));
	say_text("Read: ", text_of(line), "");
	want(t, "the first line", text_of(line), text_of(wanted));
}

/* Makes descriptor fd the one that by is, or closes it for by -1. For swap_back. */
static int swap(int fd, int by)
{
	int saved = fcntl(fd, F_DUPFD_CLOEXEC, 10);

	if (by < 0)
		close(fd);
	else
		dup2(by, fd);
	return saved;
}

static void swap_back(int fd, int saved)
{
	close(fd);
	if (saved >= 0) {
		dup2(saved, fd);
		close(saved);
	}
}

/* must_open while descriptor fd is the one that by is. */
static FILE *open_swapped(struct trial *t, int fd, int by)
{
	int saved = swap(fd, by);
	FILE *f = must_open(t, t->c->command, t->c->mode);

	swap_back(fd, saved);
	return f;
}

/* A file without a name, and what was written to it. */
static int scratch(void)
{
	return memfd_create("scratch", MFD_CLOEXEC);
}

static struct text content(int fd, char *buf, size_t size)
{
	ssize_t n = pread(fd, buf, size, 0);

	close(fd);
	return (struct text){buf, n > 0 ? (size_t)n : 0};
}

static int open_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (d != NULL && readdir(d) != NULL)
		n++;
	if (d != NULL)
		closedir(d);
	return n;
}

static bool have_children(void)
{
	siginfo_t info;

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

#endif
