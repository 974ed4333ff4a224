/* A worker process for each file, for parallel_sort and mem_sort. */
#ifndef WORKERS_H
#define WORKERS_H

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "integers.h"

#define LINK_FD 3 /* of a worker that is a program of its own: what its numbers go through */

struct worker {
	int id;
	const char *file;
	pid_t pid;
	int fd;    /* parallel_sort: one end of the pipe */
	char *mem; /* mem_sort: the memory */
	struct numbers numbers;
};

/* In a worker: it ends with the one who started it. */
static inline void stay_with(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		die("a worker without its parent");
}

/* In a worker: the program of --workers with link as LINK_FD. */
__attribute__((noreturn)) static inline void become_program(const struct worker *w, int link, pid_t parent)
{
	char id[16], pid[16];

	snprintf(id, sizeof(id), "%d", w->id);
	snprintf(pid, sizeof(pid), "%d", parent);
	if (link == LINK_FD)
		fcntl(link, F_SETFD, 0);
	else
		dup2(link, LINK_FD);
	dup2(fileno(report), STDOUT_FILENO);
	execlp(workers_program, workers_program, "--worker", id, "--parent", pid, "--", w->file, (char *)NULL);
	die("exec %s: %s", workers_program, strerror(errno));
}

/* Starts a worker; link is its end of what its numbers go through. */
static inline void start_worker(struct worker *w, int link, void (*sorter)(struct worker *w))
{
	pid_t parent = getpid();

	w->pid = fork();
	if (w->pid == -1)
		die("worker %d (%s): fork: %s", w->id, w->file, strerror(errno));
	if (w->pid == 0) {
		stay_with(parent);
		if (workers_program)
			become_program(w, link, parent);
		sorter(w);
		exit(finish());
	}
}

/* Waits for the end of a worker, which has sent everything or not; the others end with us. */
static inline void wait_for(const struct worker *w, int sent)
{
	int status;

	if (waitpid(w->pid, &status, 0) == -1)
		die("worker %d (%s): waitpid: %s", w->id, w->file, strerror(errno));
	if (WIFSIGNALED(status))
		die("worker %d (%s): killed by SIG%s (%s)", w->id, w->file, sigabbrev_np(WTERMSIG(status)),
		    strsignal(WTERMSIG(status)));
	if (status)
		die("worker %d (%s): exit status %d", w->id, w->file, WEXITSTATUS(status));
	if (!sent)
		die("worker %d (%s): it ended before it had sent its numbers", w->id, w->file);
}

/* What a worker sorts and sends. */
static inline void sort_and_send(struct worker *w, void (*send)(struct worker *w, const void *from, size_t size))
{
	sort_file(&w->numbers, w->file);
	fprintf(report, "Worker %d sorted %d numbers\n", w->id, w->numbers.size);
	send(w, &w->numbers.size, sizeof(int));
	send(w, w->numbers.array, w->numbers.size * sizeof(int));
	free(w->numbers.array);
}

/* What the parent gets from one. */
static inline void receive_and_wait(struct worker *w, int (*receive)(struct worker *w, void *to, size_t size))
{
	int sent = receive(w, &w->numbers.size, sizeof(int));

	if (sent && w->numbers.size < 0)
		die("worker %d (%s): it has sent %d as the count of its numbers", w->id, w->file, w->numbers.size);
	if (sent) {
		w->numbers.array = allocate(NULL, w->numbers.size * sizeof(int), w->file);
		sent = receive(w, w->numbers.array, w->numbers.size * sizeof(int));
	}
	if (w->fd != -1)
		close(w->fd); /* who still sends finds nobody to read it */
	wait_for(w, sent);
	fprintf(report, "Got %d numbers from worker %d\n", w->numbers.size, w->id);
}

/* Starts them all, gets what they send, in their order, and finishes. */
static inline int sort_by_workers(char **files, int n, uint64_t start_ns, void (*start)(struct worker *w),
				  int (*receive)(struct worker *w, void *to, size_t size))
{
	struct worker *workers = allocate(NULL, n * sizeof(*workers), "the workers");
	struct numbers *lists = allocate(NULL, n * sizeof(*lists), "the files");

	for (int i = 0; i < n; i++) {
		workers[i] = (struct worker){ .id = i, .file = files[i], .fd = -1 };
		start(&workers[i]);
	}
	for (int i = 0; i < n; i++) {
		receive_and_wait(&workers[i], receive);
		lists[i] = workers[i].numbers;
	}
	free(workers);
	return finish_sort(lists, n, start_ns);
}

#endif
