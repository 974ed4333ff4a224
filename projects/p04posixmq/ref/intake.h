/* From messages, and from files without one, to jobs that wait. */
#ifndef INTAKE_H
#define INTAKE_H

#include <time.h>

#include "notify.h"
#include "run.h"
#include "waiting.h"

static struct mq_attr attr; /* of the queue */

/* The jobs that were taken by their files, and whose messages may still come. */
static struct {
	int64_t *ids;
	size_t n, room;
} early;

static void add_early(int64_t id)
{
	if (early.n == early.room) {
		early.room = 2 * early.room + 16;
		early.ids = realloc(early.ids, early.room * sizeof *early.ids);
		if (!early.ids)
			die("out of memory");
	}
	early.ids[early.n++] = id;
}

/* Says whether it was there. */
static bool remove_early(int64_t id)
{
	for (size_t i = 0; i < early.n; i++)
		if (early.ids[i] == id) {
			early.ids[i] = early.ids[--early.n];
			return true;
		}
	return false;
}

/* Makes a job of a message that submit_job has not sent. */
static void adopt(const char *command, long priority)
{
	struct job j;
	write_draft(priority, command);
	int counter = lock_counter();
	int64_t id = next_number();
	publish(counter, id);
	if (!read_job("jobs", id, &j))
		die("%s/jobs/%" PRId64 ": %s", state_path, id, strerror(errno));
	add_waiting(&j);
	say("Dispatcher: Job %" PRId64 " (priority %ld) comes from another program", id, priority);
}

/* Makes a job of a message. */
static void accept_message(const char *message, size_t len, long priority)
{
	struct job j;
	char *command;
	int64_t id = parse_line(message, len, &command);
	if (id < 0) {
		char *shown = show(message, len < 60 ? len : 60);
		say("Dispatcher: Dropped a message that is no job: %s", shown);
		free(shown);
		return;
	}
	if (read_job("jobs", id, &j)) {
		if (j.priority == priority && strcmp(j.command, command) == 0) {
			add_waiting(&j);
			remove_early(id);
		} else {
			free(j.command);
			adopt(command, priority);
		}
	} else if (errno == ENOENT && id > 0 && id <= last_number()) {
		if (!remove_early(id))
			say("Dispatcher: Job %" PRId64 " has been taken already; its message is ignored", id);
	} else {
		adopt(command, priority);
	}
	free(command);
}

static bool receive(void)
{
	static char *buf;
	unsigned priority;
	if (!buf && !(buf = malloc(attr.mq_msgsize)))
		die("out of memory");
	ssize_t n = mq_receive(queue, buf, attr.mq_msgsize, &priority);
	if (n < 0 && errno == EAGAIN)
		return false;
	if (n < 0)
		die("mq_receive %s: %s", place.queue, strerror(errno));
	accept_message(buf, n, priority);
	return true;
}

/* Takes messages until that many jobs wait or the queue is empty. */
static void take(size_t limit)
{
	while (waiting.n < limit && receive())
		;
}

/* Takes jobs by their files: those that were queued this many ns ago. */
static void scan(int64_t now, int64_t age)
{
	int64_t *ids;
	size_t n = list_ids("jobs", &ids);
	for (size_t i = 0; i < n; i++) {
		struct job j;
		if (!read_job("jobs", ids[i], &j))
			continue;
		if (age > 0 && now - j.since < age)
			free(j.command);
		else if (add_waiting(&j))
			add_early(ids[i]);
	}
	free(ids);
}

/*
 * Takes jobs that wait in the queue, or for room in it, behind ones of a higher
 * priority, once they have gained some. The queue would keep them back for ever.
 */
static void age(void)
{
	static int64_t scanned;
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	int64_t now = ts.tv_sec * NANO + ts.tv_nsec;
	if (!waiting.aging || llabs(now - scanned) < waiting.aging)
		return;
	scanned = now;
	scan(now, waiting.aging);
}

/* Takes all that is queued: what the queue holds, and jobs whose messages it does not. */
static void collect(void)
{
	for (long i = 0; i < attr.mq_maxmsg && receive(); i++)
		;
	scan(0, 0);
}

#endif
