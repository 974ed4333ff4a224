/*
 * demo.h - two processes that lock keys of one store.
 */
#ifndef DEMO_H
#define DEMO_H

#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include "open.h"

/* Starts a program with its standard input and output on pipes, killed with this process;
 * in may be NULL. */
static pid_t start(char *const argv[], FILE **in, FILE **out)
{
	int to[2] = { -1, -1 }, from[2];
	pid_t parent = getpid(), child;

	fflush(stdout);
	if ((in && pipe2(to, O_CLOEXEC) == -1) || pipe2(from, O_CLOEXEC) == -1)
		die("pipe: %s", strerror(errno));
	child = fork();
	if (child == -1)
		die("fork: %s", strerror(errno));
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		if (in)
			dup2(to[0], 0);
		dup2(from[1], 1);
		execvp(argv[0], argv);
		die("exec %s: %s", argv[0], strerror(errno));
	}
	if (in) {
		close(to[0]);
		*in = fdopen(to[1], "w");
		setvbuf(*in, NULL, _IOLBF, 0);
	}
	close(from[1]);
	*out = fdopen(from[0], "r");
	setvbuf(*out, NULL, _IONBF, 0); /* what is read ahead could not be polled */
	return child;
}

/* Locks and unlocks as it is told, a line each, and answers. */
static void hold(void)
{
	char line[65536];

	if (st.read_only)
		die("%s: the store may not be written: %s", st.path, strerror(EACCES));
	setvbuf(stdout, NULL, _IOLBF, 0);
	while (fgets(line, sizeof(line), stdin)) {
		char *key = strchr(line, ' ');
		int64_t place;
		int error;

		line[strcspn(line, "\n")] = '\0';
		if (!key)
			die("\"%s\": not understood", line);
		*key++ = '\0';
		place = BUCKET + bucket_of(hash_of(&st.h, (uint8_t *)key, strlen(key)));
		if (!strcmp(line, "unlock")) {
			unlock(place, 1);
			printf("unlocked %s\n", key);
			continue;
		}
		if (strcmp(line, "lock"))
			die("\"%s\": not understood", line);
		error = lock_range(F_SETLK, F_WRLCK, place, 1);
		if (error == EAGAIN) {
			printf("waiting %s\n", key);
			error = lock_range(F_SETLKW, F_WRLCK, place, 1);
		}
		if (error && error != EDEADLK)
			die("lock %s: %s", st.lock_path, strerror(error));
		printf("%s %s\n", error ? "deadlock" : "locked", key);
	}
}

static struct holder {
	pid_t pid;
	FILE *in, *out;
} pair[2];

static void start_pair(const char *db, const char *with)
{
	for (int i = 0; i < 2; i++) {
		char *argv[] = { (char *)(i && with ? with : "/proc/self/exe"), "--db", (char *)db, "hold", NULL };

		pair[i].pid = start(argv, &pair[i].in, &pair[i].out);
	}
}

static void stop_pair(void)
{
	for (int i = 0; i < 2; i++) {
		int status;

		fclose(pair[i].in);
		if (waitpid(pair[i].pid, &status, 0) == -1 || status)
			die("process %d: status %d", i + 1, status);
		fclose(pair[i].out);
	}
}

static void tell(int i, const char *verb, const char *key)
{
	fprintf(pair[i].in, "%s %s\n", verb, key);
}

/* Takes the next answer, which must be this one. */
static void hear(int i, const char *verb, const char *key)
{
	char got[65536] = "", want[65536];

	snprintf(want, sizeof(want), "%s %s\n", verb, key);
	if (!fgets(got, sizeof(got), pair[i].out) || strcmp(got, want))
		die("process %d: \"%.*s\" instead of \"%.*s\"", i + 1, (int)strcspn(got, "\n"), got,
			(int)strcspn(want, "\n"), want);
}

static void lock_test(const char *db, const char *with, const char *key, double seconds)
{
	struct pollfd other;

	start_pair(db, with);
	tell(0, "lock", key);
	hear(0, "locked", key);
	printf("Process 1: Acquired write lock on %s\n", key);
	tell(1, "lock", key);
	hear(1, "waiting", key);
	printf("Process 2: Waiting for lock...\n(Process 1 holds lock for %g second%s)\n", seconds,
		seconds == 1 ? "" : "s");
	fflush(stdout);
	other = (struct pollfd){ .fd = fileno(pair[1].out), .events = POLLIN };
	if (poll(&other, 1, (int)(seconds * 1000)))
		die("process 2 goes on while process 1 holds the lock");
	tell(0, "unlock", key);
	hear(0, "unlocked", key);
	printf("Process 1: Released lock\n");
	hear(1, "locked", key);
	printf("Process 2: Acquired write lock on %s\n", key);
	stop_pair();
}

/* Each holds a key and wants the other's; the kernel refuses one of them. */
static void deadlock_test(const char *db, const char *with, const char *const keys[2])
{
	struct pollfd both[2];
	const char *wanted, *has;
	int loser, other;

	start_pair(db, with);
	for (int i = 0; i < 2; i++) {
		tell(i, "lock", keys[i]);
		hear(i, "locked", keys[i]);
		printf("Process %d: Acquired write lock on %s\n", i + 1, keys[i]);
	}
	for (int i = 0; i < 2; i++) {
		tell(i, "lock", keys[1 - i]);
		hear(i, "waiting", keys[1 - i]);
		printf("Process %d: Waiting for %s...\n", i + 1, keys[1 - i]);
		both[i] = (struct pollfd){ .fd = fileno(pair[i].out), .events = POLLIN };
	}
	while (poll(both, 2, -1) == -1)
		if (errno != EINTR)
			die("poll: %s", strerror(errno));
	loser = both[0].revents ? 0 : 1;
	other = 1 - loser;
	wanted = keys[other];
	has = keys[loser];
	hear(loser, "deadlock", wanted);
	printf("Process %d: Deadlock detected on %s (EDEADLK)\n", loser + 1, wanted);
	tell(loser, "unlock", has);
	hear(loser, "unlocked", has);
	printf("Process %d: Released %s\n", loser + 1, has);
	hear(other, "locked", has);
	printf("Process %d: Acquired write lock on %s\n", other + 1, has);
	for (int i = 0; i < 2; i++) {
		tell(other, "unlock", i ? wanted : has);
		hear(other, "unlocked", i ? wanted : has);
	}
	printf("Process %d: Released %s and %s\n", other + 1, wanted, has);
	for (int i = 0; i < 2; i++) {
		tell(loser, "lock", i ? wanted : has);
		hear(loser, "locked", i ? wanted : has);
		printf("Process %d: Retried, acquired write lock on %s\n", loser + 1, i ? wanted : has);
	}
	stop_pair();
	printf("Deadlock detected, reported and retried: both processes got both keys\n");
}

#endif
