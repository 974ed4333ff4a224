/*
 * stress.h - many processes that set, get and delete, some of which are killed all the
 * time; their journals tell what the store must have.
 */
#ifndef STRESS_H
#define STRESS_H

#include "demo.h"
#include "worker.h"

struct stress {
	const char *db, *with;
	bool no_sync;
	int processes, kills;
	double seconds;
};

static pid_t start_worker(const struct stress *s, const char *dir, int i, bool verify, FILE **out)
{
	char number[16], name[64];
	char *argv[] = { (char *)(i % 2 && s->with ? s->with : "/proc/self/exe"), "--db", (char *)s->db,
		"stress-worker", number, name, verify ? "verify" : NULL, NULL, NULL };

	snprintf(number, sizeof(number), "%d", i);
	snprintf(name, sizeof(name), "%s/journal-%d", dir, i);
	if (s->no_sync)
		argv[verify ? 7 : 6] = "--no-sync";
	return start(argv, NULL, out);
}

/* Kills a worker that has verified what it found; one that has ended found it wrong. */
static void kill_worker(pid_t pid, FILE *out)
{
	int status;
	bool verified = fgetc(out) == 'v';

	kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) == -1 || !verified || !WIFSIGNALED(status))
		die("a worker has ended by itself");
	fclose(out);
}

static int stress(struct stress *s)
{
	const char *tmp = getenv("TMPDIR");
	char dir[48], path[80], line[128];
	static pid_t pids[1000];
	static FILE *outs[1000];
	struct timespec pause;
	int done = 0, bad = 0, status;

	snprintf(dir, sizeof(dir), "%.16s/unpipc-%d-stress-XXXXXX", tmp && strlen(tmp) < 16 ? tmp : "/tmp", (int)getpid());
	if (!mkdtemp(dir))
		die("mkdtemp %s: %s", dir, strerror(errno));
	snprintf(path, sizeof(path), "%s/store", dir);
	if (!s->db)
		s->db = path;
	printf("%d processes for %g second%s, %d of them killed\n", s->processes, s->seconds, s->seconds == 1 ? "" : "s", s->kills);
	for (int i = 0; i < s->processes; i++)
		pids[i] = start_worker(s, dir, i, false, &outs[i]);
	pause.tv_sec = (time_t)(s->seconds / (s->kills + 1));
	pause.tv_nsec = (long)((s->seconds / (s->kills + 1) - (double)pause.tv_sec) * 1e9);
	for (int k = 0; k <= s->kills; k++) {
		int i = (int)(random() % s->processes);

		nanosleep(&pause, NULL);
		if (k == s->kills)
			break;
		kill_worker(pids[i], outs[i]);
		pids[i] = start_worker(s, dir, i, false, &outs[i]);
	}
	for (int i = 0; i < s->processes; i++)
		kill_worker(pids[i], outs[i]);
	for (int i = 0; i < s->processes; i++) {
		pids[i] = start_worker(s, dir, i, true, &outs[i]);
		waitpid(pids[i], &status, 0);
		bad += status != 0;
		fclose(outs[i]);
	}
	for (int i = 0; i < s->processes; i++) {
		char name[96];
		FILE *f;

		snprintf(name, sizeof(name), "%s/journal-%d", dir, i);
		f = fopen(name, "r");
		while (f && fgets(line, sizeof(line), f))
			done += *line == '=';
		if (f)
			fclose(f);
		unlink(name);
	}
	printf("%d sets and deletions returned\n", done);
	if (!bad) {
		FILE *out;
		char *argv[] = { "/proc/self/exe", "--db", (char *)s->db, "check", NULL };
		pid_t pid = start(argv, NULL, &out);

		waitpid(pid, &status, 0);
		fclose(out);
		bad += status != 0;
	}
	for (int i = 0; i < 3; i++) {
		char name[96];

		snprintf(name, sizeof(name), "%s/store%s", dir, i == 0 ? "" : i == 1 ? ".lock" : ".new");
		unlink(name);
	}
	rmdir(dir);
	if (bad)
		die("the store has not what was set");
	puts("The store is whole, and has everything that was set: PASS");
	return 0;
}

#endif
