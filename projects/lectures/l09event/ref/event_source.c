/* event_source - sends lines into a queue as one of three sources. */
#include "event.h"

static void remove_both(void)
{
	if (sems != -1) {
		semctl(sems, 0, IPC_RMID);
		unmark(&sems_mark);
	}
	remove_queue();
}

static void find_or_make_sems(key_t key)
{
	struct sembuf free_mutex = {SOURCES, 1, 0};

	do {
		hold_end(SIG_BLOCK);
		sems = semget(key, SOURCES + 1, IPC_CREAT | IPC_EXCL | 0600);
		if (sems != -1) {
			hold_end(SIG_UNBLOCK);
			/* A new set's values are 0 on Linux; this also marks it as ready. */
			if (semop(sems, &free_mutex, 1))
				die("semop key %s: %s", key_text(key), strerror(errno));
			share(&sems_mark, SCOPE, "semaphores", key_text(key), sems, true);
			say("Created sems with id %d\n", sems);
			return;
		}
		if (errno != EEXIST || ((sems = semget(key, SOURCES + 1, 0)) == -1 && errno != ENOENT))
			die("semget key %s: %s", key_text(key), strerror(errno));
		hold_end(SIG_UNBLOCK);
	} while (sems == -1 || !initialized());
	share(&sems_mark, SCOPE, "semaphores", key_text(key), sems, false);
	say("Connected to sems %d\n", sems);
}

static void send_line(int id, const char *line)
{
	struct message m = {.type = id, .body.size = (int)strlen(line) + 1};
	struct sembuf count = {(unsigned short)(id - 1), 1, 0};

	if (m.body.size > MAX_LINE) {
		fprintf(stderr, "event_source: a line of more than %d bytes\n", MAX_LINE - 1);
		return;
	}
	memcpy(m.body.text, line, m.body.size - 1);
	m.body.text[m.body.size - 1] = '\n';
	if (msgsnd(queue.id, &m, sizeof(int) + m.body.size, 0))
		die("msgsnd msqid %d: %s", queue.id, strerror(errno));
	if (semop(sems, &count, 1))
		die("semop semid %d: %s", sems, strerror(errno));
	say("Sent %zu bytes\n", sizeof(long) + sizeof(int) + m.body.size);
}

int main(int argc, char **argv)
{
	const char *text;
	int id;
	char *line;
	key_t key;

	text = only_flag(argc, argv, "key", NULL,
		"usage: event_source [flags] ID\n\n"
		"Sends each line that it reads into a queue, as the source 1, 2 or 3, and counts it in\n"
		"a semaphore. When source 1 ends it removes the queue and the semaphores.\n\nflags:\n"
		"      --key key   the key of the object (default: ftok of the current directory and 9)\n"
		"  -h, --help      show this help\n\nexample:\n  event_source 2");
	if (optind != argc - 1 || strlen(argv[optind]) != 1 || *argv[optind] < '1' || *argv[optind] > '3')
		bad_usage("wants an ID from 1 to %d", SOURCES);
	id = *argv[optind] - '0';
	key = key_of(text, 9);
	if (id == 1)
		at_end(remove_both);
	find_or_make_sems(key);
	make_queue(SCOPE, key);
	say("Created/connected to queue %d\n", queue.id);
	while ((line = next_line()))
		send_line(id, line);
	return finish();
}
