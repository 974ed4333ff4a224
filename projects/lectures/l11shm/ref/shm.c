/* shm - shows what becomes of a mutex in shared memory whose owner dies. */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "../../../internal/lecture/ref/segment.h"

struct memory {
	pthread_mutex_t mutex;
	_Alignas(64) atomic_int word; /* the child makes it 1 */
};

static void must(const char *call, int error)
{
	if (error)
		die("%s: %s", call, strerror(error));
}

static void make_mutex(pthread_mutex_t *mutex)
{
	pthread_mutexattr_t attr;

	must("pthread_mutexattr_init", pthread_mutexattr_init(&attr));
	must("pthread_mutexattr_setrobust", pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST));
	must("pthread_mutexattr_setpshared", pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED));
	must("pthread_mutex_init", pthread_mutex_init(mutex, &attr));
}

static _Noreturn void lock_and_die(struct memory *m)
{
	must("pthread_mutex_lock", pthread_mutex_lock(&m->mutex));
	say("Child holds a lock\n");
	m->word = 1;
	say("And the child dies\n");
	raise(SIGKILL);
	abort();
}

/* The kernel marks a robust mutex when its owner dies and wakes one that waits. */
static void repair(struct memory *m)
{
	int error;

	say("Parent waits for 1 in shmem\n");
	while (m->word != 1)
		usleep(1000);
	say("Parent tries to lock\n");
	error = pthread_mutex_lock(&m->mutex);
	if (!error)
		die("the mutex was free, though its owner had died");
	if (error != EOWNERDEAD)
		die("pthread_mutex_lock: %s", strerror(error));
	say("Owner is dead, restore\n");
	must("pthread_mutex_consistent", pthread_mutex_consistent(&m->mutex));
	must("pthread_mutex_unlock", pthread_mutex_unlock(&m->mutex));
	say("Destroy mutex\n");
	must("pthread_mutex_destroy", pthread_mutex_destroy(&m->mutex));
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"key", required_argument, NULL, 'k'},
		{"outside", no_argument, NULL, 'o'}, {"child", required_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'}, {0}};
	const char *text = NULL;
	bool outside = false;
	struct memory *m;
	int option;
	long child = -1;
	char *end;
	pid_t pid = -1;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'k': text = optarg; break;
		case 'o': outside = true; break;
		case 'c':
			child = strtol(optarg, &end, 10);
			if (end == optarg || *end || child < 0 || child > INT_MAX)
				bad_usage("--child wants a shmid and nothing else");
			break;
		case 'h': show_help("usage: shm [flags]\n\n"
			"Makes System V shared memory with a robust mutex in it, starts a child that locks the\n"
			"mutex and is killed, and repairs the mutex.\n\nflags:\n"
			"      --key key       the key of the object (default: ftok of the current directory and 11)\n"
			"      --outside       start no child, but wait for a shm --child\n"
			"      --child shmid   be the child: lock the mutex in the memory with this shmid, and die\n"
			"  -h, --help          show this help\n\nexample:\n  shm\n  shm --outside");
		default: try_help();
		}
	}
	if (optind < argc)
		bad_usage("takes no arguments");
	if (child >= 0 && outside)
		bad_usage("--child wants a shmid and nothing else");
	if (child >= 0) {
		m = shmat((int)child, NULL, 0);
		if (m == (void *)-1)
			die("shmat shmid %ld: %s", child, strerror(errno));
		lock_and_die(m);
	}
	key_t key = key_of(text, 11);
	m = make_segment("lecture-11", key, 1024);
	say("Created mem with id %d\n", segment.id);
	make_mutex(&m->mutex);
	say("Created mutex between processes\n");
	if (!outside) {
		pid = fork();
		if (pid == -1)
			die("fork: %s", strerror(errno));
		if (pid == 0)
			lock_and_die(m);
	}
	repair(m);
	if (!outside && waitpid(pid, NULL, 0) != pid)
		die("waitpid: %s", strerror(errno));
	say("Free shmem\n");
	return finish();
}
