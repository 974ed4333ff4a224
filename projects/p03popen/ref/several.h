/* several.h - bodies of cases with several streams, and with few descriptors. */
#ifndef SEVERAL_H
#define SEVERAL_H

#include <pthread.h>
#include <sys/resource.h>

#include "bodies.h"

static void closed_in_child(struct trial *t)
{
	FILE *r = must_open(t, "exit 19", "r"), *w = must_open(t, "exit 20", "w");
	char numbers[32];

	if (r == NULL || w == NULL)
		return;
	snprintf(numbers, sizeof numbers, "%d %d", fileno(r), fileno(w));
	setenv(VARIABLE, numbers, 1);
	exchange(t);
	unsetenv(VARIABLE);
	must_close(t, r, "19");
	must_close(t, w, "20");
}

/* Closes the case's stream while a later one is open; hangs if that has its end. */
static void beside(struct trial *t, const char *first_line)
{
	FILE *f = must_open(t, t->c->command, t->c->mode);
	FILE *later = must_open(t, "read n; exit $n", "w");

	if (f == NULL || later == NULL)
		return;
	if (first_line != NULL)
		read_line(t, f, first_line);
	must_close(t, f, t->c->returns);
	write_text(t, later, text_of("18\n"));
	must_close(t, later, "18");
}

static void end_beside(struct trial *t)
{
	beside(t, NULL);
}

static void hang_up_beside(struct trial *t)
{
	beside(t, "y\n");
}

static void any_order(struct trial *t)
{
	static const int order[] = {3, 0, 4, 2, 1};
	FILE *f[5];
	char text[32];

	for (int i = 0; i < 5; i++) {
		snprintf(text, sizeof text, "exit %d", 20 + i);
		f[i] = must_open(t, text, t->c->mode);
		if (f[i] == NULL)
			return;
	}
	for (int i = 0; i < 5; i++) {
		snprintf(text, sizeof text, "%d", 20 + order[i]);
		must_close(t, f[order[i]], text);
	}
}

/* Tells a command its exit status and closes. Says whether that came back. */
static bool own_status(const struct trial *t, FILE *f, int number)
{
	bool written = fprintf(f, "%d\n", number) > 0 && fflush(f) == 0;
	int status = t->impl->close(f);

	return written && status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == number;
}

static void check_own(struct trial *t, int own, int wanted)
{
	say("mypclose returned: the stream's own status %d times", own);
	if (own != wanted)
		fail(t, "it should be %d times", wanted);
}

enum { MANY = 300 };

static void many(struct trial *t)
{
	FILE *f[MANY];
	int n = 0, own = 0;

	while (n < MANY && (f[n] = must_open(t, t->c->command, t->c->mode)) != NULL)
		n++;
	say("Opened: %d streams", n);
	for (int i = 0; i < n; i++)
		own += own_status(t, f[i], i % 256);
	check_own(t, own, MANY);
}

enum { THREADS = 8, EACH = 25 };

struct worker {
	pthread_t thread;
	const struct trial *t;
	int first, own;
};

static void *work(void *arg)
{
	struct worker *w = arg;

	for (int n = w->first; n < w->first + EACH; n++) {
		FILE *f = w->t->impl->open(w->t->c->command, w->t->c->mode);
		w->own += f != NULL && own_status(w->t, f, n);
	}
	return NULL;
}

static void threads(struct trial *t)
{
	struct worker w[THREADS];
	int own = 0;

	for (int i = 0; i < THREADS; i++) {
		w[i] = (struct worker){.t = t, .first = i * EACH};
		if (pthread_create(&w[i].thread, NULL, work, &w[i]) != 0) {
			fputs("test_mypopen: pthread_create failed\n", stderr);
			exit(1);
		}
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(w[i].thread, NULL);
		own += w[i].own;
	}
	check_own(t, own, THREADS * EACH);
}

static void no_descriptors(struct trial *t)
{
	struct rlimit before, none;

	getrlimit(RLIMIT_NOFILE, &before);
	none = before;
	none.rlim_cur = 0;
	setrlimit(RLIMIT_NOFILE, &none);
	FILE *f = t->impl->open(t->c->command, t->c->mode);
	int e = errno;
	setrlimit(RLIMIT_NOFILE, &before);
	errno = e;
	must_fail(t, f, "EMFILE");
	exchange(t);
}

/*
 * Opens streams while 0 and 1 are closed, so that the end of the first one has the
 * number that the command of the last needs for its standard input.
 */
static void low_numbers(struct trial *t)
{
	int saved0 = swap(0, -1), saved1 = swap(1, -1);
	FILE *first = must_open(t, "echo through", "r");
	FILE *second = must_open(t, "[ -e /proc/$$/fd/0 ] || exit 18", "r"); /* 0 is the first */
	FILE *f = must_open(t, t->c->command, t->c->mode);

	if (first != NULL && second != NULL && f != NULL) {
		write_text(t, f, text_of("17\n"));
		must_close(t, f, t->c->returns);
		must_close(t, second, "18");
		read_all(t, first, text_of("through\n"));
		must_close(t, first, "0");
	}
	swap_back(1, saved1);
	swap_back(0, saved0);
}

#endif
