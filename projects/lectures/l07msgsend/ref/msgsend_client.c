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
	const char *text;
	int queue;
	key_t key;

	text = only_flag(argc, argv, "key", NULL,
		"usage: msgsend_client [flags]\n\n"
		"Sends messages of the types 100, 50 and 60 to msgsend_server.\n\nflags:\n"
		"      --key key   the key of the object (default: ftok of the current directory and 7)\n"
		"  -h, --help      show this help\n\nexample:\n"
		"  msgsend_client\n  msgsend_client --key 0x1234");
	if (optind < argc)
		bad_usage("takes no arguments");
	key = key_of(text, 7);
	queue = msgget(key, 0);
	if (queue == -1)
		die("msgget key %s: %s", key_text(key), strerror(errno));
	say("connected to queue %d\n", queue);
	send_message(queue, 100, "hello, world");
	send_message(queue, 50, "hello, world of type 50");
	send_message(queue, 60, "hello, world of type 60");
	return finish();
}
