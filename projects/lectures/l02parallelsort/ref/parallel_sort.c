/*
 * parallel_sort - sort the numbers of files, each in a process, and get them through pipes.
 *
 *	parallel_sort a.txt b.txt c.txt d.txt
 */
#include "../../../internal/integers/ref/workers.h"

static void send_all(struct worker *w, const void *from, size_t size)
{
	const char *at = from;

	while (size > 0) {
		ssize_t n = write(w->fd, at, size);

		if (n == -1 && errno != EINTR)
			die("write: %s", strerror(errno));
		if (n > 0)
			at += n, size -= n;
	}
}

/* 0 at the end of what the worker sends. */
static int receive_all(struct worker *w, void *to, size_t size)
{
	char *at = to;

	while (size > 0) {
		ssize_t n = read(w->fd, at, size);

		if (n == -1 && errno != EINTR)
			die("read: %s", strerror(errno));
		if (n == 0)
			return 0;
		if (n > 0)
			at += n, size -= n;
	}
	return 1;
}

static int unused_end = -1; /* of the pipe of the worker that is being started */

static void sorter(struct worker *w)
{
	if (unused_end != -1)
		close(unused_end);
	sort_and_send(w, send_all);
}

static void start(struct worker *w)
{
	int fd[2];

	if (pipe2(fd, O_CLOEXEC))
		die("pipe2: %s", strerror(errno));
	w->fd = fd[1];
	unused_end = fd[0];
	start_worker(w, fd[1], sorter);
	close(fd[1]);
	w->fd = fd[0];
}

int main(int argc, char **argv)
{
	uint64_t start_ns = now_ns();

	parse(argc, argv, "Starts a process for each file, which reads its integers, sorts them and sends them\n"
			  "through a pipe, first how many. Prints how long that took.", 1);
	if (worker_id >= 0) {
		struct worker w = { .id = worker_id, .file = argv[optind], .fd = LINK_FD };

		stay_with(parent_pid);
		sorter(&w);
		return finish();
	}
	return sort_by_workers(argv + optind, argc - optind, start_ns, start, receive_all);
}
