/* What the benchmark measures of a queue: both ends in turn as threads or as processes. */
#ifndef RUNS_H
#define RUNS_H

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../internal/measure/ref/place.h"
#include "timed.h"

static uint64_t iterations = 10 * 1000 * 1000, capacity = 4096;
static bool threads;

/* What the two ends share beside the queue. */
struct job {
	uint64_t items, every;
	double ns;
	uint32_t histogram[HISTOGRAM_SIZE];
	struct header *h;
};

/* The other process ends with this one, and this one sees how the other ended. */
static void check_peer(void) {}

static void *producer(void *arg)
{
	struct job *j = arg;
	struct end e;

	if (!threads)
		keep_to_cpu(0);
	end_init(&e, j->h, true);
	if (j->every)
		prepare_times();
	produce(&e, 0, capacity);
	if (j->every)
		produce_timed(&e, capacity, capacity + j->items, j->every);
	else
		produce(&e, capacity, capacity + j->items);
	memcpy(j->histogram, histogram, sizeof(histogram));
	memset(histogram, 0, sizeof(histogram));
	return NULL;
}

static void *consumer(void *arg)
{
	struct job *j = arg;
	struct end e;
	uint64_t start;

	if (!threads)
		keep_to_cpu(1);
	end_init(&e, j->h, false);
	consume(&e, 0, capacity);
	start = now_ns();
	consume(&e, capacity, capacity + j->items);
	j->ns = now_ns() - start;
	return NULL;
}

static void *shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("mmap of %zu bytes: %s", size, strerror(errno));
	return p;
}

static void run_threads(struct job *j)
{
	pthread_t other;
	int err = pthread_create(&other, NULL, producer, j);

	if (err)
		die("pthread_create: %s", strerror(err));
	consumer(j);
	pthread_join(other, NULL);
}

static void run_processes(struct job *j)
{
	void *(*const ends[])(void *) = {producer, consumer};
	int status, left = 2;

	for (int i = 0; i < 2; i++) {
		pid_t self = getpid(), pid = fork();

		if (pid < 0)
			die("fork: %s", strerror(errno));
		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (getppid() != self)
				_exit(1);
			ends[i](j);
			_exit(0);
		}
	}
	/* A child that failed has said why; the other one ends with this process. */
	while (left-- && wait(&status) > 0)
		if (status)
			exit(1);
}

struct figures {
	double rate, mean, p99;
};

static double run(enum kind k, uint64_t items, uint64_t every, struct figures *f)
{
	struct job *j = shared(sizeof(*j));
	size_t size = queue_size(capacity);
	double ns;

	j->items = items;
	j->every = every;
	j->h = shared(size);
	queue_create(j->h, capacity, k, capacity + items);
	threads ? run_threads(j) : run_processes(j);
	histogram_times(j->histogram, &f->mean, &f->p99);
	ns = j->ns;
	munmap(j->h, size);
	munmap(j, sizeof(*j));
	return ns;
}

static struct figures measure(enum kind k)
{
	uint64_t n = is_locked(k) ? (iterations + 9) / 10 : iterations, timed = iterations / 10;
	struct figures f;

	f.rate = n / (run(k, n, 0, &f) / 1e9);
	run(k, timed < 100 ? 100 : timed > 500000 ? 500000 : timed, 1000, &f);
	return f;
}

#endif
