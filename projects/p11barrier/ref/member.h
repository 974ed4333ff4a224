/* A process at the barrier. */
#ifndef MEMBER_H
#define MEMBER_H

#include <signal.h>

#include "../../internal/measure/ref/clock.h"
#include "board.h"

enum { HAS_REACHED, HAS_PASSED };

/* What a process tells the one that started it, through a pipe that all of them share. */
struct event {
	int32_t what, index, round;
};

struct place {
	int set;
	int index;   /* from 1 on; 0: the next one from outside */
	int report;  /* descriptor of that pipe; -1: standard output */
	int kill_in; /* round in which this process kills itself, 0: none */
	bool quiet;
};

static inline int report(const struct place *p, int what, int round)
{
	struct event e = {what, p->index, round};
	if (p->quiet)
		return 0;
	if (p->report >= 0)
		return write(p->report, &e, sizeof e) == (ssize_t)sizeof e ? 0 : -1;
	if (what == HAS_REACHED) {
		printf("[P%d] Reached barrier %d\n", p->index, round);
		fflush(stdout);
	}
	return 0;
}

/* One barrier. What it returns is what went wrong, NULL if nothing did. */
static inline const char *one_round(const struct place *p, struct board *b, int round)
{
	static char text[96];
	int error = 0;
	if (b->kind == PTHREAD) {
		error = pthread_barrier_wait(&b->barrier);
		error = error == PTHREAD_BARRIER_SERIAL_THREAD ? 0 : error;
	} else if (b->kind == SYSTEM_V) {
		int r = barrier_wait(p->set, round);
		while (r == -1 && errno == EAGAIN && b->respawn && (r = settle(p->set)) == 0)
			r = barrier_wait(p->set, round);
		error = r == -1 ? errno : 0;
	}
	if (error)
		return error == EAGAIN ? "broken barrier" : strerror(error);
	for (int i = 0; i < b->processes; i++) {
		if (b->reached[i] < round) {
			snprintf(text, sizeof text, "passed before process %d had reached it", i + 1);
			return text;
		}
	}
	b->reached[b->processes + p->index - 1] = round;
	return NULL;
}

static inline const char *rounds(const struct place *p, struct board *b, int *round)
{
	const int first = b->round, last = b->iterations;
	int64_t start = 0;
	for (*round = first; *round <= last; ++*round) {
		if (b->work > 0) {
			long ns = (long)(drand48() * b->work * 1000);
			nanosleep(&(struct timespec){ns / 1000000000, ns % 1000000000}, NULL);
		}
		b->reached[p->index - 1] = *round;
		if (report(p, HAS_REACHED, *round) == -1)
			return strerror(errno);
		if (*round == p->kill_in)
			raise(SIGKILL);
		const char *wrong = one_round(p, b, *round);
		if (wrong)
			return wrong;
		if (report(p, HAS_PASSED, *round) == -1)
			return strerror(errno);
		if (p->index == 1 && *round == first)
			start = now_ns();
		if (p->index == 1 && *round == last) {
			b->elapsed = now_ns() - start;
			b->timed = last - first;
		}
	}
	return NULL;
}

/* Takes part until the last round has been passed, or something goes wrong. */
static inline int take_part(struct place p)
{
	int round = 0;
	signal(SIGPIPE, SIG_IGN);
	srand48(getpid());
	if (join(p.set) == -1)
		die("semaphore set (semid %d): %s", p.set,
			errno == EAGAIN ? "all processes of the barrier have joined" : strerror(errno));
	struct board *b = open_board(p.set);
	if (!b || (p.index == 0 && (p.index = ++b->next) > b->processes)) {
		leave(p.set);
		die("semaphore set (semid %d): no barrier_test has them, or it has all its processes", p.set);
	}
	const char *wrong = rounds(&p, b, &round);
	if (wrong && !owner_lives(p.set)) {
		/* Nobody else clears it away, but another member. */
		semctl(p.set, 0, IPC_RMID);
		remove_boards(p.set);
		die("broken barrier, and the process that made it has died");
	}
	if (leave(p.set) == -1 && !wrong)
		wrong = strerror(errno);
	if (wrong && p.report >= 0)
		die("process %d: barrier %d: %s", p.index, round, wrong);
	if (wrong)
		die("barrier %d: %s", round, wrong);
	return 0;
}

#endif
