/* A queue without locks beside one with a mutex and one with semaphores. */
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "flags.h"
#include "timed.h"

static const char help[] =
	"usage: lockfree_bench [flags]\n\n"
	"Sends numbers through a queue in shared memory, each checked at the other end: without\n"
	"locks, and, with a tenth as many, with a mutex and with semaphores. The latency is that of\n"
	"a write into a queue with room, one each microsecond.\n\n"
	"flags:\n"
	"  -h, --help                show this help\n"
	"      --iterations string   operations: 1000, 10K, 100M (default 10M)\n"
	"      --capacity int        slots, a power of two (default 4096)\n"
	"      --kind string         the lock-free queue: naive, padded, cached, deferred, batched (default cached)\n"
	"      --threads             between two threads instead of two processes\n"
	"      --variants            show what each step brings\n\n"
	"example:\n"
	"  lockfree_bench --iterations=100M\n"
	"  lockfree_bench --iterations=10M --threads --variants\n";

static uint64_t iterations = 10 * 1000 * 1000, capacity = 4096;
static bool threads;

/* What the two ends share beside the queue. */
struct job {
	uint64_t items, every;
	double ns;
	uint64_t histogram[POWERS * 1024];
	struct header *h;
};

/* The other process ends with this one, and this one sees how the other ended. */
static void check_peer(void) {}

/* On one CPU the ends would take turns. */
static void keep_to_cpu(int nth)
{
	cpu_set_t allowed, one;

	if (threads || sched_getaffinity(0, sizeof(allowed), &allowed) || CPU_COUNT(&allowed) < 2)
		return;
	CPU_ZERO(&one);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &allowed) && nth-- == 0)
			CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

static void *producer(void *arg)
{
	struct job *j = arg;
	struct end e;

	keep_to_cpu(0);
	end_init(&e, j->h, true);
	if (j->every)
		prepare_times();
	produce(&e, 0, capacity);
	if (j->every)
		produce_timed(&e, capacity, capacity + j->items, j->every);
	else
		produce(&e, capacity, capacity + j->items);
	for (int i = 0; i < POWERS * 1024; i++) {
		j->histogram[i] = histogram[i];
		histogram[i] = 0;
	}
	return NULL;
}

static void *consumer(void *arg)
{
	struct job *j = arg;
	struct end e;
	uint64_t start;

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
	uint64_t seen = 0;
	double ns, sum = 0;

	j->items = items;
	j->every = every;
	j->h = shared(size);
	queue_create(j->h, capacity, k, capacity + items);
	threads ? run_threads(j) : run_processes(j);
	f->p99 = 0;
	for (uint64_t i = 0; every && i < POWERS * 1024; i++) {
		seen += j->histogram[i];
		sum += (double)j->histogram[i] * histogram_value(i);
		if (f->p99 == 0 && seen * 100 >= items * 99)
			f->p99 = histogram_value(i);
	}
	f->mean = sum / items;
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

static const char *rate_words(double rate, char *text, size_t size)
{
	if (rate >= 0.995e6)
		snprintf(text, size, "%.*fM", rate < 9.95e6, rate / 1e6);
	else
		snprintf(text, size, "%.0fK", rate / 1e3);
	return text;
}

static const char *count_words(uint64_t n, char *text, size_t size)
{
	static const struct { uint64_t size; const char *name; } units[] = {
		{1000000000, " billion"}, {1000000, " million"}, {1000, " thousand"}, {1, ""}
	};
	int i = 0;

	while (n % units[i].size)
		i++;
	snprintf(text, size, "%llu%s", (unsigned long long)(n / units[i].size), units[i].name);
	return text;
}

static void report(enum kind kind, bool variants)
{
	static const char *const names[] = {"Lock-free queue", "Mutex-based queue", "Semaphore-based"};
	const enum kind kinds[] = {kind, MUTEX, SEM};
	struct figures f[3];
	double last = 0;
	char text[64];

	printf("Lock-Free SPSC Queue Benchmark\nOperations: %s\n\n", count_words(iterations, text, sizeof(text)));
	for (int i = 0; i < 3; i++) {
		fflush(stdout); /* or the children would print it again */
		f[i] = measure(kinds[i]);
		printf("%s: %s ops/sec\n", names[i], rate_words(f[i].rate, text, sizeof(text)));
	}
	printf("\nSpeedup: %.1fx over mutex\nLatency (p99): %.0fns vs %.0fns\n",
		f[0].rate / f[1].rate, f[0].p99, f[1].p99);
	if (!variants)
		return;
	printf("\n%-10s %10s %9s %10s %10s\n", "Variant", "Operations", "Step", "Mean", "p99");
	puts("-----------------------------------------------------");
	for (enum kind k = NAIVE; k < MUTEX; k++) {
		char step[32] = "-";

		fflush(stdout);
		f[0] = measure(k);
		if (last > 0)
			snprintf(step, sizeof(step), "%.2fx", f[0].rate / last);
		last = f[0].rate;
		printf("%-10s %8s/s %9s %8.0fns %8.0fns\n", kind_names[k],
			rate_words(last, text, sizeof(text)), step, f[0].mean, f[0].p99);
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"help", no_argument, NULL, 'h'}, {"iterations", required_argument, NULL, 'i'},
		{"capacity", required_argument, NULL, 'c'}, {"kind", required_argument, NULL, 'k'},
		{"threads", no_argument, NULL, 't'}, {"variants", no_argument, NULL, 'v'}, {0},
	};
	enum kind kind = CACHED;
	bool variants = false;

	for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;)
		switch (c) {
		case 'h':
			fputs(help, stdout);
			return finish();
		case 'i':
			if (!(iterations = parse_count(optarg)))
				bad_usage("--iterations: \"%s\" is no number from 1 up", optarg);
			break;
		case 'c':
			capacity = parse_capacity(optarg);
			break;
		case 'k':
			for (kind = NAIVE; kind < MUTEX && strcmp(optarg, kind_names[kind]); kind++)
				;
			if (kind == MUTEX)
				bad_usage("--kind: \"%s\" is no queue without locks", optarg);
			break;
		case 't':
			threads = true;
			break;
		case 'v':
			variants = true;
			break;
		default:
			bad_usage("wrong flags");
		}
	if (optind < argc)
		bad_usage("unexpected argument \"%s\"", argv[optind]);
	report(kind, variants);
	return finish();
}
