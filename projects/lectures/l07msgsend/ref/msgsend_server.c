/* msgsend_server - receives three messages by their types. */
#include "../../../internal/lecture/ref/queue.h"
#include "message.h"

static void receive(long want, int flags)
{
	struct message m;
	ssize_t n;

	while ((n = msgrcv(queue.id, &m, sizeof m.body, want, flags)) == -1 && (errno == ENOMSG || errno == EINTR))
		usleep(10000);
	if (n == -1)
		die("msgrcv msqid %d: %s", queue.id, strerror(errno));
	if (n < (ssize_t)sizeof m.body.size || m.body.size < 1 ||
	    m.body.size > n - (ssize_t)sizeof m.body.size || m.body.text[m.body.size - 1])
		die("a message of type %ld and %zd bytes is none of msgsend_client's", m.type, n);
	say("received %zd\ntype = %ld, size = %d, str = %s\n", (ssize_t)sizeof m.type + n, m.type, m.body.size, m.body.text);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"key", required_argument, NULL, 'k'},
		{"nowait", no_argument, NULL, 'n'}, {"help", no_argument, NULL, 'h'}, {0}};
	const char *text = NULL;
	int option, flags = 0;
	struct msqid_ds st;
	key_t key;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'k': text = optarg; break;
		case 'n': flags = IPC_NOWAIT; break;
		case 'h': show_help("usage: msgsend_server [flags]\n\n"
			"Makes a System V message queue, receives a message of any type, one of type 60 and one\n"
			"of the lowest type up to 200, and removes the queue.\n\nflags:\n"
			"      --key key   the key of the object (default: ftok of the current directory and 7)\n"
			"      --nowait    do not wait for messages: try with IPC_NOWAIT, again and again\n"
			"  -h, --help      show this help\n\nexample:\n"
			"  msgsend_server & msgsend_client; wait\n  msgsend_server --key 0x1234 --nowait");
		default: try_help();
		}
	}
	if (optind < argc)
		bad_usage("takes no arguments");
	key = key_of(text, 7);
	at_end(remove_queue);
	make_queue("lecture-7", key);
	say("connected to queue %d\n", queue.id);
	while (!flags) {
		/* As the lecture waits; msgrcv by itself would sleep. */
		if (msgctl(queue.id, IPC_STAT, &st))
			die("msgctl msqid %d: %s", queue.id, strerror(errno));
		if (st.msg_qnum > 0) {
			say("message count = %d\n", (int)st.msg_qnum);
			break;
		}
		usleep(10000);
	}
	receive(0, flags);
	receive(60, flags);
	receive(-200, flags);
	return finish();
}
