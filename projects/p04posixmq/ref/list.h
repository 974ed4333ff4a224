/* What submit_job does besides submitting: to look, and to end the dispatcher. */
#ifndef LIST_H
#define LIST_H

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>

#include "job.h"

/* The aging of the dispatcher that runs, or ran last; ns. */
static int64_t aging_in_use(void)
{
	char text[32] = "";
	int fd = openat(state, "lock", O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && read(fd, text, sizeof text - 1) < 0)
		*text = '\0';
	if (fd >= 0)
		close(fd);
	int64_t aging = parse_id(text, strcspn(text, "\n"));
	return aging > 0 && aging <= MAX_AGING * NANO ? aging : 0;
}

/* The jobs in a folder, less those that are damaged or just leave; allocated. */
static size_t read_jobs(const char *folder, struct job **jobs)
{
	int64_t *ids;
	size_t found = list_ids(folder, &ids), n = 0;
	*jobs = calloc(found + 1, sizeof **jobs);
	if (!*jobs)
		die("out of memory");
	for (size_t i = 0; i < found; i++)
		n += read_job(folder, ids[i], &(*jobs)[n]);
	free(ids);
	return n;
}

static int64_t list_aging;

static int by_order(const void *a, const void *b)
{
	return before(a, b, list_aging) ? -1 : 1;
}

static void print_job(const char *what, const struct job *j)
{
	char *shown = show(j->command, strlen(j->command));
	printf("%s: job %" PRId64 " (priority %ld): %s\n", what, j->id, j->priority, shown);
	free(shown);
}

static void list(void)
{
	struct mq_attr attr;
	mqd_t mq = mq_open(place.queue, O_RDONLY | O_CLOEXEC);
	if (mq < 0 && errno != ENOENT)
		die("mq_open %s: %s", place.queue, strerror(errno));
	printf("Queue %s: ", place.queue);
	if (mq < 0)
		printf("not there");
	else if (mq_getattr(mq, &attr) == 0)
		printf("%ld of %ld messages", attr.mq_curmsgs, attr.mq_maxmsg);
	bool known = open_state(false);
	pid_t pid = known ? owner() : 0;
	if (pid == 0)
		puts("; no dispatcher is running");
	else if (pid < 0)
		puts("; the dispatcher is in another pid namespace");
	else
		printf("; the dispatcher is process %d\n", pid);
	if (!known)
		return;

	/* In this order: a job that starts meanwhile is seen twice rather than never. */
	struct job *waiting, *running;
	size_t waits = read_jobs("jobs", &waiting), runs = read_jobs("running", &running);
	list_aging = aging_in_use();
	if (waits > 0)
		qsort(waiting, waits, sizeof *waiting, by_order);
	for (size_t i = 0; i < runs; i++)
		print_job(pid ? "running" : "interrupted", &running[i]);
	for (size_t i = 0; i < waits; i++) {
		bool twice = false;
		for (size_t k = 0; k < runs; k++)
			twice |= running[k].id == waiting[i].id;
		if (!twice)
			print_job("waiting", &waiting[i]);
		free(waiting[i].command);
	}
	for (size_t i = 0; i < runs; i++)
		free(running[i].command);
	free(waiting);
	free(running);
}

/* A descriptor of the dispatcher's process. */
static int open_dispatcher(void)
{
	for (;;) {
		pid_t pid = owner();
		if (pid == 0)
			die("%s: no dispatcher is running", place.queue);
		if (pid < 0)
			die("%s: the dispatcher is in another pid namespace", place.queue);
		int fd = (int)syscall(SYS_pidfd_open, pid, 0); /* glibc has it from 2.36 on */
		if (fd < 0 && errno != ESRCH)
			die("pidfd_open: %s", strerror(errno));
		/* Had the number come to name another process, that would not have the lock. */
		if (fd >= 0 && owner() == pid)
			return fd;
		if (fd >= 0)
			close(fd);
	}
}

/* The least number of a job in a folder, INT64_MAX if there is none. */
static int64_t first_in(const char *folder)
{
	int64_t *ids, first = INT64_MAX;
	if (list_ids(folder, &ids) > 0)
		first = ids[0];
	free(ids);
	return first;
}

/* Tells the dispatcher to run everything that is queued and to end, and waits. */
static void shut_down(bool nonblock, double timeout)
{
	if (!open_state(false))
		die("%s: no dispatcher is running", place.queue);
	int fd = open_dispatcher();
	int64_t last = last_number();
	if (syscall(SYS_pidfd_send_signal, fd, SIGUSR2, NULL, 0) != 0)
		die("pidfd_send_signal: %s", strerror(errno));
	if (nonblock)
		return;
	struct pollfd end = {.fd = fd, .events = POLLIN};
	double ms = timeout * 1000 + 1;
	switch (poll(&end, 1, timeout && ms < INT_MAX ? (int)ms : -1)) {
	case 0:
		die("%s: the dispatcher is still running after %g s", place.queue, timeout);
	case -1:
		die("poll: %s", strerror(errno));
	}
	close(fd);
	int64_t first = first_in("running");
	if (first > last)
		first = first_in("jobs");
	if (first <= last)
		die("%s: the dispatcher has ended before job %" PRId64 " did", place.queue, first);
}

#endif
