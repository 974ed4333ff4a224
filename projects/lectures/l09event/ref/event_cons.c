/* event_cons - takes messages of three sources, one of each at once. */
#include "event.h"

static bool removed(void) { return errno == EIDRM || errno == EINVAL; }

/* False when the queue or the semaphores are removed. */
static bool lock_events(void)
{
	struct sembuf ops[] = {{0, -1, 0}, {1, -1, 0}, {2, -1, 0}, {3, -1, SEM_UNDO}};

	if (!semop(sems, ops, 4))
		return true;
	if (!removed())
		die("semop semid %d: %s", sems, strerror(errno));
	return false;
}

static bool unlock_events(void)
{
	struct sembuf op = {3, 1, SEM_UNDO};

	return !semop(sems, &op, 1);
}

static bool take(void)
{
	struct message m[SOURCES];
	ssize_t n[SOURCES];

	for (int i = 0; i < SOURCES; i++) {
		n[i] = msgrcv(queue.id, &m[i], sizeof m[i].body, i + 1, 0);
		if (n[i] == -1 && removed())
			return false;
		if (n[i] == -1)
			die("msgrcv msqid %d: %s", queue.id, strerror(errno));
		if (n[i] < (ssize_t)sizeof(int) || m[i].body.size < 1 || m[i].body.size > n[i] - (ssize_t)sizeof(int))
			die("a message of type %d and %zd bytes is none of event_source's", i + 1, n[i]);
	}
	for (int i = 0; i < SOURCES; i++)
		say("Received %zd\nType = %ld, size = %d, str = %.*s\n", (ssize_t)sizeof(long) + n[i],
			m[i].type, m[i].body.size, m[i].body.size, m[i].body.text);
	return true;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"key", required_argument, NULL, 'k'},
		{"count", required_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'}, {0}};
	const char *text = NULL;
	char *end = NULL;
	long count = 0;
	int option;
	key_t key;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'k': text = optarg; break;
		case 'c':
			count = strtol(optarg, &end, 10);
			if (end == optarg || *end || count < 0)
				bad_usage("--count must be at least 0");
			break;
		case 'h': show_help("usage: event_cons [flags]\n\n"
			"Takes messages that event_source has sent, always one of each of the three sources at\n"
			"once, until the queue is removed.\n\nflags:\n"
			"      --key key     the key of the object (default: ftok of the current directory and 9)\n"
			"      --count int   end after so many triples (0: never)\n"
			"  -h, --help        show this help\n\nexample:\n  event_cons\n  event_cons --count 1");
		default: try_help();
		}
	}
	if (optind < argc)
		bad_usage("takes no arguments");
	key = key_of(text, 9);
	queue.id = msgget(key, 0);
	if (queue.id == -1)
		die("msgget key %s: %s", key_text(key), strerror(errno));
	sems = semget(key, SOURCES + 1, 0);
	if (sems == -1 || !initialized())
		die("semget key %s: %s", key_text(key), strerror(errno));
	/* So that they are not taken for left over while this one waits. */
	share(&sems_mark, SCOPE, "semaphores", key_text(key), sems, false);
	share(&queue.mark, SCOPE, "queue", key_text(key), queue.id, false);
	for (long n = 0; !count || n < count; n++)
		if (!lock_events() || !take() || !unlock_events())
			break;
	return finish();
}
