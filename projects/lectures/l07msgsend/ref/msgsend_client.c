/* msgsend_client - sends three messages of different types to msgsend_server. */
#include "message.h"

static void send_message(int queue, long type, const char *text)
{
	struct message m = {.type = type, .body.size = (int)strlen(text) + 1};
	size_t bytes = sizeof m.body.size + m.body.size;

	memcpy(m.body.text, text, m.body.size);
	if (msgsnd(queue, &m, bytes, 0))
		die("msgsnd msqid %d: %s", queue, strerror(errno));
	say("sent %zu bytes\n", sizeof m.type + bytes);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"key", required_argument, NULL, 'k'}, {"help", no_argument, NULL, 'h'}, {0}};
	const char *text = NULL;
	int option, queue;
	key_t key;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'k': text = optarg; break;
		case 'h': show_help("usage: msgsend_client [flags]\n\n"
			"Sends messages of the types 100, 50 and 60 to msgsend_server.\n\nflags:\n"
			"      --key key   the key of the object (default: ftok of the current directory and 7)\n"
			"  -h, --help      show this help\n\nexample:\n"
			"  msgsend_client\n  msgsend_client --key 0x1234");
		default: try_help();
		}
	}
	if (optind < argc)
		bad_usage("takes no arguments");
	key = key_of(text, 7);
	queue = msgget(key, 0);
	if (queue == -1)
		die("msgget key 0x%08x: %s", (unsigned)key, strerror(errno));
	say("connected to queue %d\n", queue);
	send_message(queue, 100, "hello, world");
	send_message(queue, 50, "hello, world of type 50");
	send_message(queue, 60, "hello, world of type 60");
	return finish();
}
