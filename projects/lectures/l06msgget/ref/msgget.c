/* msgget - makes a System V message queue, describes it and removes it. */
#include "../../../internal/lecture/ref/queue.h"

static bool keep;

static void end_queue(void)
{
	if (!keep)
		remove_queue();
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"key", required_argument, NULL, 'k'},
		{"keep", no_argument, NULL, 'K'}, {"help", no_argument, NULL, 'h'}, {0}};
	const char *text = NULL;
	struct msqid_ds st;
	struct msginfo limits;
	int option;
	key_t key;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'k': text = optarg; break;
		case 'K': keep = true; break;
		case 'h': show_help("usage: msgget [flags]\n\n"
			"Makes a System V message queue or finds it, describes it, tries to make it once more,\n"
			"removes it, and prints the limits for all queues.\n\nflags:\n"
			"      --key key   the key of the object (default: ftok of the current directory and 6)\n"
			"      --keep      do not remove the queue\n"
			"  -h, --help      show this help\n\nexample:\n"
			"  msgget\n  msgget --key 0x1234 --keep && ipcs -q && msgget --key 0x1234");
		default: try_help();
		}
	}
	if (optind < argc)
		bad_usage("takes no arguments");
	key = key_of(text, 6);
	at_end(end_queue);
	make_queue("lecture-6", key);
	say("key = %d, queue_id = %d\n", key, queue.id);
	if (msgctl(queue.id, IPC_STAT, &st))
		die("msgctl key %s: %s", key_text(key), strerror(errno));
	say("message count = %d\nmax queue bytes = %d\n", (int)st.msg_qnum, (int)st.msg_qbytes);
	if (msgget(key, IPC_CREAT | IPC_EXCL) == -1)
		say("second msgget returned '%s'\n", strerror(errno));
	if (msgctl(0, IPC_INFO, (struct msqid_ds *)&limits) == -1)
		die("msgctl IPC_INFO: %s", strerror(errno));
	say("\nSystem wide settings:\nmax message size = %d\nmax queue bytes = %d\n"
	    "max number of message queues = %d\n", limits.msgmax, limits.msgmnb, limits.msgmni);
	return finish();
}
