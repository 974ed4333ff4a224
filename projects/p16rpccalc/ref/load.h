/* Many calls at once, and how long they take. */
#ifndef LOAD_H
#define LOAD_H

#include "target.h"

#include <sys/wait.h>

static CLIENT *dial(void);
static int call(CLIENT *c);

static double cpu(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void each(CLIENT *c, long count, int expected)
{
	for (long i = 0; i < count; i++) {
		int got = call(c);

		if (got != expected)
			die("%s: first the result was %d, then %d", asked, expected, got);
	}
}

/* Clients are processes: each tells that it is connected, waits for all, calls, and tells its CPU time. */
static void load(long count, long clients, int expected)
{
	int ready[2], go[2], status;
	double begin, used, all = 0;
	char byte = 0;

	if (pipe(ready) == -1 || pipe(go) == -1)
		die("pipe: %s", strerror(errno));
	fflush(stdout);
	for (long i = 0; i < clients; i++) {
		pid_t pid = fork();

		if (pid == -1)
			die("fork: %s", strerror(errno));
		if (pid == 0) {
			CLIENT *c = dial();

			close(go[1]);
			each(c, 1, expected);
			if (write(ready[1], &byte, 1) != 1 || read(go[0], &byte, 1) != 0)
				exit(1);
			used = cpu();
			each(c, count / clients + (i < count % clients), expected);
			used = cpu() - used;
			exit(write(ready[1], &used, sizeof(used)) != sizeof(used));
		}
	}
	close(ready[1]);
	for (long i = 0; i < clients; i++)
		if (read(ready[0], &byte, 1) != 1)
			exit(1);
	begin = now();
	close(go[1]);
	for (long i = 0; i < clients; i++) {
		if (read(ready[0], &used, sizeof(used)) != sizeof(used))
			exit(1); /* the client has said why */
		all += used;
	}
	begin = now() - begin;
	while (wait(&status) > 0)
		if (status)
			exit(1);
	printf("%ld calls in %.6f s: %.0f per second, %.0f ns of CPU each\n", count, begin, (double)count / begin,
		all / (double)count * 1e9);
}

#endif
