/* sem - changes a set of three System V semaphores by commands that are typed. */
#include <sys/sem.h>

#include "../../../internal/lecture/ref/lecture.h"
#include "../../../internal/marks/ref/mark.h"

static int set;
static struct mark mark;

/* A new set's values are 0 on Linux, and all get theirs in one operation, whose time
 * tells others that the set is ready. */
static void find_or_make(key_t key)
{
	struct sembuf values[] = {{0, 1, 0}, {1, 2, 0}, {2, 3, 0}};
	struct semid_ds st;

	for (;;) {
		set = semget(key, 3, IPC_CREAT | IPC_EXCL | 0600);
		if (set != -1) {
			if (semop(set, values, 3))
				die("semop key %s: %s", key_text(key), strerror(errno));
			share(&mark, "lecture-8", "semaphores", key_text(key), set, true);
			say("Created sems with id %d\nSem array is initialized\n", set);
			return;
		}
		if (errno != EEXIST)
			die("semget key %s: %s", key_text(key), strerror(errno));
		set = semget(key, 3, 0);
		if (set == -1 && errno != ENOENT)
			die("semget key %s: %s", key_text(key), strerror(errno));
		while (set != -1 && !semctl(set, 0, IPC_STAT, &st)) {
			if (st.sem_otime) {
				share(&mark, "lecture-8", "semaphores", key_text(key), set, false);
				say("Sem array already exists\nConnected to %d\n", set);
				return;
			}
			usleep(1000);
		}
		/* It was removed meanwhile. */
	}
}

static int operate(struct sembuf *ops, size_t n)
{
	int error;

	while ((error = semop(set, ops, n)) == -1 && errno == EINTR)
		;
	if (error)
		say("error = %s\n", strerror(errno));
	return error;
}

static void show(void)
{
	unsigned short v[32000]; /* semmsl */

	if (semctl(set, 0, GETALL, v) == -1)
		say("error = %s\n", strerror(errno));
	else
		say("Values are %d %d %d\n", v[0], v[1], v[2]);
}

/* Reads "2 -". Whether there is a semaphore 2 is the kernel's to say. */
static bool parse(const char *line, struct sembuf *op)
{
	char sign[2], rest;
	unsigned number;

	if (sscanf(line, "%u %1s %c", &number, sign, &rest) != 2 || number < 1 || number > 65535 || !strchr("+-", *sign))
		return false;
	*op = (struct sembuf){(unsigned short)(number - 1), *sign == '+' ? 1 : -1, SEM_UNDO};
	return true;
}

static void session(void)
{
	struct sembuf op, *ops = NULL;
	bool inside = false;
	size_t n = 0;
	char *line;

	while ((line = next_line())) {
		if (!strcmp(line, "begin")) {
			inside = true;
		} else if (!strcmp(line, "commit")) {
			if (!operate(ops, n))
				inside = false, n = 0;
		} else if (!strcmp(line, "rollback")) {
			inside = false, n = 0;
		} else if (!strcmp(line, "show")) {
			show();
		} else if (!strcmp(line, "delete")) {
			if (semctl(set, 0, IPC_RMID))
				say("error = %s\n", strerror(errno));
			else
				unmark(&mark);
			break;
		} else if (!strcmp(line, "quit")) {
			break;
		} else if (!parse(line, &op)) {
			say("Unknown operation\n");
		} else if (!inside) {
			operate(&op, 1);
		} else {
			ops = realloc(ops, (n + 1) * sizeof *ops);
			if (!ops)
				die("%s", strerror(errno));
			ops[n++] = op;
		}
	}
	free(ops);
}

int main(int argc, char **argv)
{
	const char *text;

	text = only_flag(argc, argv, "key", NULL,
		"usage: sem [flags]\n\n"
		"Makes three System V semaphores of the values 1 2 3, or finds them, and does what it\n"
		"reads, one command a line:\n\n"
		"  2 -        take 1 from semaphore 2; sleeps while it is 0\n"
		"  2 +        add 1 to semaphore 2\n"
		"  begin      from here on only collect\n"
		"  commit     do all that was collected, at once\n"
		"  rollback   forget it\n"
		"  show       print the values\n"
		"  delete     remove the semaphores, and end\n"
		"  quit       end; the kernel takes back what this process has done\n\nflags:\n"
		"      --key key   the key of the object (default: ftok of the current directory and 8)\n"
		"  -h, --help      show this help\n\nexample:\n"
		"  printf '2 -\\nshow\\nquit\\n' | sem\n  echo delete | sem");
	if (optind < argc)
		bad_usage("takes no arguments");
	find_or_make(key_of(text, 8));
	session();
	return finish();
}
