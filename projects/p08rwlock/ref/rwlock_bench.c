/*
 * rwlock_bench - operations a second on a read-write lock.
 *
 * Every thread reads or writes two words under the lock, writes spread evenly among its
 * operations. Readers compare the words, the end compares them with the number of
 * writes. The Go program does the same: ../bench.go.
 */
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <sys/mman.h>

#include "../../internal/cli/ref/cli.h"
#include "../../internal/measure/ref/clock.h"
#include "../../internal/measure/ref/place.h"
#include "futexlock.h"
#include "myrwlock.h"

/* The futex lock and what it guards lie as in ../bench.go: programs in Go may use them, too. */
struct shared {
	struct futexlock futex;
	char space[64];
	uint64_t a, b;
	_Alignas(64) pthread_rwlock_t posix;
	struct myrwlock mine;
};

#define WITH_FUTEX (sizeof(struct futexlock) + 64 + 2 * sizeof(uint64_t) + 64)

struct worker {
	pthread_t thread;
	unsigned index;
	uint64_t count, right, writes;
};

static struct shared *shared;
static pthread_barrier_t start;
static unsigned writes_in_100;
static enum { POSIX, MINE, FUTEX } which;
static _Thread_local struct futexslot *slot;

static void check(const char *call, int error)
{
	if (error)
		die("%s: %s", call, strerror(error));
}

static inline void lock(enum kind kind)
{
	int error;

	if (which == FUTEX && kind == READER)
		error = futexlock_rdlock(&shared->futex, slot, NULL);
	else if (which == FUTEX)
		error = futexlock_wrlock(&shared->futex, NULL);
	else if (which == MINE)
		error = myrwlock_lock(&shared->mine, kind, NULL);
	else if (kind == READER)
		error = pthread_rwlock_rdlock(&shared->posix);
	else
		error = pthread_rwlock_wrlock(&shared->posix);
	check("lock", error);
}

static inline void unlock(enum kind kind)
{
	if (which == FUTEX && kind == READER)
		futexlock_rdunlock(&shared->futex, slot);
	else if (which == FUTEX)
		futexlock_wrunlock(&shared->futex);
	else
		check("unlock",
		      which == MINE ? myrwlock_unlock(&shared->mine, kind) : pthread_rwlock_unlock(&shared->posix));
}

static inline bool consistent(void)
{
	return shared->a == shared->b;
}

static void *work(void *arg)
{
	struct worker *w = arg, mine_only = *w; /* counted on the stack: no cache line in common */
	unsigned due = 0;

	keep_to_cpu((int)mine_only.index);
	if (which == FUTEX)
		slot = futexlock_reader(&shared->futex);
	if (which == FUTEX && !slot)
		die("too many readers");
	pthread_barrier_wait(&start);
	for (uint64_t i = 0; i < mine_only.count; i++) {
		if ((due += writes_in_100) >= 100) {
			due -= 100;
			lock(WRITER);
			mine_only.right += consistent();
			shared->a++;
			shared->b++;
			unlock(WRITER);
			mine_only.writes++;
		} else {
			lock(READER);
			mine_only.right += consistent();
			unlock(READER);
		}
	}
	w->right = mine_only.right;
	w->writes = mine_only.writes;
	return NULL;
}

static void run(unsigned threads, uint64_t count, bool alone)
{
	struct worker *w = calloc(threads, sizeof *w);
	uint64_t right = 0, writes = 0, begin;

	if (!w)
		die("out of memory");
	check("pthread_barrier_init", pthread_barrier_init(&start, NULL, threads + 1));
	for (unsigned i = 0; i < threads; i++) {
		w[i].index = i;
		w[i].count = count / threads + (i < count % threads);
		check("pthread_create", pthread_create(&w[i].thread, NULL, work, &w[i]));
	}
	begin = now_ns();
	pthread_barrier_wait(&start);
	for (unsigned i = 0; i < threads; i++) {
		pthread_join(w[i].thread, NULL);
		right += w[i].right;
		writes += w[i].writes;
	}
	uint64_t ns = now_ns() - begin;
	if (alone && (!consistent() || shared->a != writes))
		die("%" PRIu64 " writes left the words at %" PRIu64, writes, shared->a);
	printf("{\"count\":%" PRIu64 ",\"ns\":%" PRIu64 "}\n", right, ns);
	free(w);
}

/* Memory of our own, or the shared memory object of this name, in which only the futex lock has room. */
static void *memory(const char *name)
{
	int fd = name ? shm_open(name, O_RDWR, 0) : -1;
	void *m;

	if (name && fd < 0)
		die("%s: %s", name, strerror(errno));
	m = mmap(NULL, name ? WITH_FUTEX : sizeof *shared, PROT_READ | PROT_WRITE,
		 MAP_SHARED | (name ? 0 : MAP_ANONYMOUS), fd, 0);
	if (m == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	return m;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"lock", required_argument, NULL, 'l'},	   {"reads", required_argument, NULL, 'r'},
		{"threads", required_argument, NULL, 't'}, {"count", required_argument, NULL, 'c'},
		{"shared", required_argument, NULL, 's'},  {NULL, 0, NULL, 0}};
	const char *name = "pthread", *object = NULL;
	unsigned reads = 100, threads = 4;
	uint64_t count = 1000;
	enum policy policy = FAIR;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'l')
			name = optarg;
		else if (option == 'r')
			reads = (unsigned)strtoul(optarg, NULL, 10);
		else if (option == 't')
			threads = (unsigned)strtoul(optarg, NULL, 10);
		else if (option == 'c')
			count = strtoull(optarg, NULL, 10);
		else if (option == 's')
			object = optarg;
		else
			return 2;
	}
	which = strcmp(name, "pthread") == 0 ? POSIX : strcmp(name, "futex") == 0 ? FUTEX : MINE;
	if (strcmp(name, "reader") == 0)
		policy = PREFER_READER;
	else if (strcmp(name, "writer") == 0)
		policy = PREFER_WRITER;
	else if (which == MINE && strcmp(name, "fair") != 0) {
		fprintf(stderr, "rwlock_bench: --lock is pthread, futex, reader, writer or fair\n");
		return 2;
	}
	if (reads > 100 || threads == 0 || threads > 1000 || optind < argc || (object && which != FUTEX)) {
		fprintf(stderr, "rwlock_bench: --reads is 0 to 100, --threads 1 to 1000, --shared for --lock futex\n");
		return 2;
	}
	writes_in_100 = 100 - reads;
	shared = memory(object);
	if (which == FUTEX)
		futexlock_attach(&shared->futex);
	else if (which == MINE)
		check("myrwlock_init", myrwlock_init(&shared->mine, policy, false));
	else
		check("pthread_rwlock_init", pthread_rwlock_init(&shared->posix, NULL));
	run(threads, count, !object);
	return 0;
}
