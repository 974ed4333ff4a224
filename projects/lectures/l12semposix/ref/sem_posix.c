/* sem_posix - lets ten threads contend for a named POSIX semaphore of value 5. */
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "../../../internal/lecture/ref/lecture.h"
#include "../../../internal/marks/ref/mark.h"

static const char *name = "/my_sem";
static long threads = 10, value = 5, hold = 1000, rounds;
static bool join;
static sem_t *sem = SEM_FAILED;
static atomic_int inside;

static struct mark mark;

static void unlink_sem(void)
{
	if (sem != SEM_FAILED)
		sem_unlink(name);
	unmark(&mark);
}

static void *work(void *arg)
{
	long id = (long)arg;

	for (long n = 0; !rounds || n < rounds; n++) {
		if (sem_wait(sem))
			die("sem_wait %s: %s", name, strerror(errno));
		int now = atomic_fetch_add(&inside, 1) + 1;
		say("Thread %ld got the sem\n", id);
		if (!join && now > value)
			die("more threads have the semaphore than its value: %d", now);
		usleep(hold * 1000);
		atomic_fetch_sub(&inside, 1);
		sem_post(sem);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"name", required_argument, NULL, 'n'},
		{"join", no_argument, NULL, 'j'}, {"threads", required_argument, NULL, 't'},
		{"value", required_argument, NULL, 'v'}, {"hold", required_argument, NULL, 'o'},
		{"rounds", required_argument, NULL, 'r'}, {"help", no_argument, NULL, 'h'}, {0}};
	static pthread_t ids[1000];
	int option, error;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'n': name = optarg; break;
		case 'j': join = true; break;
		case 't': threads = number("threads", optarg, 1, 1000); break;
		case 'v': value = number("value", optarg, 1, SEM_VALUE_MAX); break;
		case 'o': hold = number("hold", optarg, 0, 1000000); break;
		case 'r': rounds = number("rounds", optarg, 0, 1000000); break;
		case 'h': show_help("usage: sem_posix [flags]\n\n"
			"Lets threads take a named POSIX semaphore, hold it for a while and put it back, again\n"
			"and again, until Enter is pressed.\n\nflags:\n"
			"      --name name        the name of the semaphore (default \"/my_sem\")\n"
			"      --join             use the semaphore of another sem_posix instead of making it\n"
			"      --threads number   number of threads (default 10)\n"
			"      --value int        how many have it at a time (default 5)\n"
			"      --hold ms          for how many ms each has it (default 1000)\n"
			"      --rounds int       end when each thread has had it so many times, not at Enter (0: never)\n"
			"  -h, --help             show this help\n\nexample:\n"
			"  sem_posix\n  sem_posix --rounds 2 --hold 100 </dev/null\n  sem_posix --join");
		default: try_help();
		}
	}
	if (optind < argc)
		bad_usage("takes no arguments");
	if (!join) {
		claim(&mark, "lecture-12", "semaphore", name);
		at_end(unlink_sem);
	}
	/* One that a killed process has left may never have its value again. */
	if (!join && sem_unlink(name) && errno != ENOENT)
		die("sem_unlink %s: %s", name, strerror(errno));
	sem = join ? sem_open(name, 0) : sem_open(name, O_CREAT | O_EXCL, 0600, (unsigned)value);
	if (sem == SEM_FAILED)
		die("sem_open %s: %s", name, strerror(errno));
	if (!join) {
		char file[PATH_MAX];

		snprintf(file, sizeof file, "/dev/shm/sem.%s", name + strspn(name, "/"));
		record_file(&mark, file);
	}
	for (long i = 0; i < threads; i++)
		if ((error = pthread_create(&ids[i], NULL, work, (void *)i)))
			die("pthread_create: %s", strerror(error));
	if (!rounds) {
		next_line();
		exit(finish());
	}
	for (long i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	return finish();
}
