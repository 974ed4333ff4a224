/* semaphore - tests a semaphore that is made of a mutex and a condition variable. */
#include <sched.h>

#include "../../../internal/lecture/ref/segment.h"
#include "semaphore.h"

static struct semaphore *sem;
static long threads = 10, value = 5, rounds = 1000, outside;

static void *contend(void *arg)
{
	for (long i = 0; i < rounds; i++) {
		semaphore_get(sem);
		int32_t now = atomic_fetch_add(&sem->inside, 1) + 1, most = sem->most;
		while (now > most && !atomic_compare_exchange_weak(&sem->most, &most, now))
			;
		sched_yield();
		atomic_fetch_sub(&sem->inside, 1);
		semaphore_put(sem);
	}
	return arg;
}

static void contend_all(void)
{
	static pthread_t ids[1000];
	int error;

	for (long i = 0; i < threads; i++)
		if ((error = pthread_create(&ids[i], NULL, contend, NULL)))
			die("pthread_create: %s", strerror(error));
	for (long i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
}

static void leave(void) { atomic_fetch_sub(&sem->joined, 1); }

static void join(key_t key)
{
	int id = shmget(key, sizeof *sem, 0);

	if (id == -1)
		die("shmget key %s: %s", key_text(key), strerror(errno));
	sem = shmat(id, NULL, 0);
	if (sem == (void *)-1)
		die("shmat shmid %d: %s", id, strerror(errno));
	while (!sem->ready)
		usleep(1000);
	atomic_fetch_add(&sem->joined, 1);
	atomic_fetch_add(&sem->arrived, 1);
	at_end(leave);
	contend_all();
	say("%ld threads, semaphore of another process\n", threads);
}

static void test(key_t key)
{
	int32_t most, left;
	int error;

	sem = make_segment("lecture-10", key, sizeof *sem);
	if ((error = semaphore_init(sem, (int32_t)value)))
		die("semaphore: %s", strerror(error));
	say("%ld threads, semaphore of %ld\n", threads, value);
	sem->ready = 1;
	while (sem->arrived < outside)
		usleep(1000);
	contend_all();
	while (sem->joined)
		usleep(1000);
	pthread_mutex_lock(&sem->mutex);
	left = sem->units;
	pthread_mutex_unlock(&sem->mutex);
	most = sem->most;
	if (most > value || left != value)
		die("of %ld units %d were had at once, and %d are left: FAIL", value, most, left);
	say("at most %d had it at once, and %ld can be had again. PASS\n", most, value);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"key", required_argument, NULL, 'k'},
		{"threads", required_argument, NULL, 't'}, {"value", required_argument, NULL, 'v'},
		{"rounds", required_argument, NULL, 'r'}, {"outside", required_argument, NULL, 'o'},
		{"join", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'}, {0}};
	const char *text = NULL;
	bool joins = false;
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'k': text = optarg; break;
		case 't': threads = number("threads", optarg, 1, 1000); break;
		case 'v': value = number("value", optarg, 1, 1000000); break;
		case 'r': rounds = number("rounds", optarg, 1, 1000000000); break;
		case 'o': outside = number("outside", optarg, 0, 1000); break;
		case 'j': joins = true; break;
		case 'h': show_help("usage: semaphore [flags]\n\n"
			"Lets threads get and put a semaphore that is made of a mutex and a condition variable,\n"
			"in System V shared memory, and verifies that never more have it than its value.\n\nflags:\n"
			"      --key key          the key of the object (default: ftok of the current directory and 10)\n"
			"      --threads number   number of threads (default 10)\n"
			"      --value int        how many may have it at a time (default 5)\n"
			"      --rounds int       how often each thread gets it (default 1000)\n"
			"      --outside number   number of processes with --join to wait for before it starts\n"
			"      --join             use the semaphore of another process; that one verifies\n"
			"  -h, --help             show this help\n\nexample:\n"
			"  semaphore\n  semaphore --outside 1 & semaphore --join");
		default: try_help();
		}
	}
	if (optind < argc)
		bad_usage("takes no arguments");
	if (joins && outside)
		bad_usage("--outside must be from 0 to 1000, without --join");
	if (joins)
		join(key_of(text, 10));
	else
		test(key_of(text, 10));
	return finish();
}
