/* The jobs that the dispatcher has taken: a heap, the next one to run first. */
#ifndef WAITING_H
#define WAITING_H

#include "job.h"

static struct {
	struct job *jobs;
	size_t n, room;
	int64_t aging; /* ns */
} waiting;

static void swap_jobs(size_t a, size_t b)
{
	struct job j = waiting.jobs[a];
	waiting.jobs[a] = waiting.jobs[b];
	waiting.jobs[b] = j;
}

/* Adds a job, unless it is there: its file may be found before its message. */
static bool add_waiting(struct job *j)
{
	for (size_t i = 0; i < waiting.n; i++)
		if (waiting.jobs[i].id == j->id) {
			free(j->command);
			return false;
		}
	if (waiting.n == waiting.room) {
		waiting.room = 2 * waiting.room + 16;
		waiting.jobs = realloc(waiting.jobs, waiting.room * sizeof *waiting.jobs);
		if (!waiting.jobs)
			die("out of memory");
	}
	size_t i = waiting.n++;
	waiting.jobs[i] = *j;
	for (; i > 0 && before(&waiting.jobs[i], &waiting.jobs[(i - 1) / 2], waiting.aging); i = (i - 1) / 2)
		swap_jobs(i, (i - 1) / 2);
	return true;
}

static struct job next_waiting(void)
{
	swap_jobs(0, --waiting.n);
	for (size_t i = 0, least; (least = 2 * i + 1) < waiting.n; i = least) {
		if (least + 1 < waiting.n &&
			before(&waiting.jobs[least + 1], &waiting.jobs[least], waiting.aging))
			least++;
		if (!before(&waiting.jobs[least], &waiting.jobs[i], waiting.aging))
			break;
		swap_jobs(i, least);
	}
	return waiting.jobs[waiting.n];
}

#endif
