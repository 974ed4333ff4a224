/* bodies.h - bodies of cases: modes, what passes, what is inherited. */
#ifndef BODIES_H
#define BODIES_H

#include "trial.h"

/* Writes the input or reads the output, and closes. */
static void exchange_for(struct trial *t, struct text output)
{
	const struct test_case *c = t->c;
	char buf[256];

	if (*c->mode == 'r') {
		FILE *f = must_open(t, c->command, c->mode);
		if (f != NULL) {
			read_all(t, f, output);
			must_close(t, f, c->returns);
		}
		return;
	}
	int printed = scratch();
	FILE *f = open_swapped(t, 1, printed);
	if (f != NULL && c->input.len > 0) {
		write_text(t, f, c->input);
		say_text("Wrote: \"", c->input, "\"");
	}
	if (f != NULL)
		must_close(t, f, c->returns);
	struct text got = content(printed, buf, sizeof buf);
	if (f != NULL)
		want(t, "what the command printed", got, output);
}

static void exchange(struct trial *t)
{
	exchange_for(t, t->c->output);
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int visible(const struct dirent *e)
{
	return *e->d_name != '.';
}

/* Expects what is in the working directory, sorted as ls is told by LC_ALL=C. */
static void list(struct trial *t)
{
	struct dirent **entries;
	char *names;
	size_t len;
	int n = scandir(".", &entries, visible, by_bytes);

	if (n < 0) {
		fail(t, "open .: %s", strerror(errno));
		return;
	}
	FILE *f = open_memstream(&names, &len);
	for (int i = 0; i < n; i++) {
		fprintf(f, "%s\n", entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	fclose(f);
	exchange_for(t, (struct text){names, len});
	free(names);
}

/*
 * A command longer than exec takes. Which error it is differs: the kernel says
 * E2BIG, glibc ENOMEM.
 */
static void too_long(struct trial *t)
{
	static char command[200006] = "echo ";

	memset(command + 5, 'x', 200000);
	FILE *f = t->impl->open(command, t->c->mode);
	if (f == NULL) {
		say("mypopen returned: NULL");
		return;
	}
	fail(t, "mypopen returned a stream");
	t->impl->close(f);
}

static void close_on_exec(struct trial *t)
{
	FILE *f = must_open(t, t->c->command, t->c->mode);

	if (f == NULL)
		return;
	const char *answer = fcntl(fileno(f), F_GETFD) & FD_CLOEXEC ? "yes" : "no";
	say("Close-on-exec: %s", answer);
	want(t, "close-on-exec", text_of(answer), t->c->output);
	must_close(t, f, t->c->returns);
}

static void refused(struct trial *t)
{
	must_fail(t, t->impl->open(t->c->command, t->c->mode), "EINVAL");
}

/* Reads or writes where it is not allowed. */
static void wrong_way(struct trial *t)
{
	FILE *f = must_open(t, t->c->command, t->c->mode);
	const char *what = t->c->output.data;

	if (f == NULL)
		return;
	int r = *what == 'R' ? getc(f) : putc('x', f);
	const char *error = errno_name(errno);
	if (r == EOF) {
		say("%s failed: %s", what, error);
		want(t, "the error", text_of(error), text_of("EBADF"));
	} else {
		fail(t, "%s succeeded", what);
	}
	must_close(t, f, t->c->returns);
}

enum { NUMBERS = 1000000 }; /* as seq prints them */

static void big_read(struct trial *t)
{
	FILE *f = must_open(t, t->c->command, t->c->mode);
	char line[32], expected[32];
	size_t total = 0;
	int count = 0;
	bool right = true;

	if (f == NULL)
		return;
	for (; fgets(line, sizeof line, f) != NULL; total += strlen(line)) {
		snprintf(expected, sizeof expected, "%d\n", ++count);
		right = right && strcmp(line, expected) == 0;
	}
	say("Read: %zu bytes", total);
	if (!right || count != NUMBERS)
		fail(t, "these are not the numbers from 1 to %d", NUMBERS);
	must_close(t, f, t->c->returns);
}

static void big_write(struct trial *t)
{
	char buf[64];
	int printed = scratch(), total = 0;
	FILE *f = open_swapped(t, 1, printed);

	for (int i = 1; f != NULL && i <= NUMBERS; i++)
		total += fprintf(f, "%d\n", i);
	if (f != NULL) {
		if (fflush(f) != 0)
			fail(t, "Write failed: %s", errno_name(errno));
		say("Wrote: %d bytes", total);
		must_close(t, f, t->c->returns);
	}
	want(t, "the checksum", content(printed, buf, sizeof buf), t->c->output);
}

static void environment(struct trial *t)
{
	setenv(VARIABLE, "set before", 1);
	exchange(t);
	unsetenv(VARIABLE);
}

static void shared_input(struct trial *t)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC) != 0 ||
		write(p[1], t->c->output.data, t->c->output.len) != (ssize_t)t->c->output.len) {
		fail(t, "pipe: %s", strerror(errno));
		return;
	}
	close(p[1]);
	int saved = swap(0, p[0]);
	exchange(t);
	swap_back(0, saved);
	close(p[0]);
}

static void shared_error(struct trial *t)
{
	char buf[64];
	int printed = scratch();
	FILE *f = open_swapped(t, 2, printed);

	if (f != NULL) {
		read_all(t, f, (struct text){"", 0});
		must_close(t, f, t->c->returns);
	}
	struct text got = content(printed, buf, sizeof buf);
	say_text("Standard error: ", got, "");
	want(t, "standard error", got, t->c->output);
}

#endif
