/* sysv_server: answers the requests of many clients through one System V queue. */
#include "key.h"
#include "lock.h"
#include "outbox.h"

/* How long a response waits for a client that does not say. */
#define PATIENCE (60 * SECOND)

static key_t key;

/* What became of a queue that was there. */
static char inherited[128];

/*
 * Makes the queue, or takes the one that is there: with what is in it, or afresh.
 * Returns why it cannot, NULL if it can.
 */
static const char *claim(const struct owner *last, bool fresh)
{
	static char why[128];
	struct msqid_ds ds;
	for (;;) {
		char origin[64] = "that was there";
		queue = msgget(key, 0);
		if (queue < 0 && errno == ENOENT) {
			queue = msgget(key, IPC_CREAT | IPC_EXCL | 0600);
			if (queue >= 0)
				return NULL;
			if (errno == EEXIST)
				continue;
		}
		if (queue < 0)
			break;
		if (msgctl(queue, IPC_STAT, &ds) != 0) {
			if (removed(errno))
				continue;
			break;
		}
		if (ds.msg_perm.uid != geteuid()) {
			snprintf(why, sizeof why, "the queue (msqid %d) is another user's, with uid %u", queue,
				ds.msg_perm.uid);
			return why;
		}
		if (last->pid && last->msqid == queue)
			snprintf(origin, sizeof origin, "of server %d, which is dead", last->pid);
		snprintf(inherited, sizeof inherited, "%s the queue %s; messages in it: %lu",
			fresh ? "Removed" : "Taking over", origin, ds.msg_qnum);
		if (!fresh) {
			ds.msg_perm.mode = 0600;
			if (msgctl(queue, IPC_SET, &ds) != 0 && !removed(errno))
				break;
			return NULL;
		}
		if (msgctl(queue, IPC_RMID, NULL) != 0 && !removed(errno))
			break;
	}
	return strerror(errno);
}

/* Who may have sent what no client sends: a hint, it need not be this message's sender. */
static const char *suspect(void)
{
	static char text[64];
	struct msqid_ds ds;
	*text = '\0';
	if (msgctl(queue, IPC_STAT, &ds) == 0 && ds.msg_lspid)
		snprintf(text, sizeof text, " (the queue's last sender was process %d)", ds.msg_lspid);
	return text;
}

/* Says why a request is not answered; true if it is to be. */
static bool plausible(const struct request *r, size_t len)
{
	uint64_t ticks;
	if (len < REQUEST_HEAD)
		say("Refused: too short for a request%s", suspect());
	else if (r->magic != MAGIC)
		say("Refused: not a request%s", suspect());
	else if (r->pid <= 0)
		say("Refused: %d is no client's pid%s", r->pid, suspect());
	else if (!started(r->pid, &ticks))
		say("Refused: client %d is gone", r->pid);
	else if (ticks != r->started)
		say("Refused: process %d is not the client: it was started at another time%s", r->pid,
			suspect());
	else if (r->deadline && r->deadline <= now_ns())
		say("Refused: client %d no longer waits", r->pid);
	else
		return true;
	return false;
}

/* Answers a message of the type of requests. */
static void take(const struct request *r, size_t len)
{
	static struct response *answer;
	static size_t room;
	if (!plausible(r, len))
		return;
	len -= REQUEST_HEAD;
	if (!answer || room < len) {
		room = len;
		answer = allocate(answer, sizeof *answer + room + sizeof SUFFIX);
	}
	answer->type = response_type(r->pid);
	answer->nonce = r->nonce;
	answer->deadline = r->deadline ? r->deadline : now_ns() + PATIENCE;
	answer->status = 0;
	memcpy(answer->text, r->text, len);
	memcpy(answer->text + len, SUFFIX, sizeof SUFFIX);
	if (!quiet) {
		char *shown = show(r->text, len);
		say("Client %d: %s -> %s" SUFFIX " (msgtyp=%ld)", r->pid, shown, shown, answer->type);
		free(shown);
	}
	respond(answer, RESPONSE_HEAD + len + sizeof SUFFIX - 1);
}

/*
 * Answers requests until the queue is removed: by the thread, to which a signal came,
 * or by somebody else. A msgrcv that sleeps, or is about to, comes back then.
 */
static void serve(void)
{
	struct room room = {0};
	while (!log_error) {
		ssize_t n = receive(queue, &room, REQUEST_TYPE, 0);
		if (n >= 0)
			take(&room.message->request, n);
		else if (removed(errno))
			break;
		else if (errno != EINTR)
			die("msgrcv key 0x%08x: %s", key, strerror(errno));
	}
	free(room.message);
}

static int run(bool fresh)
{
	struct owner last;
	int lock = take_lock(key, &last);
	char path[LOCK_PATH_SIZE];
	const char *why = claim(&last, fresh);
	if (why) {
		release_lock(key, lock);
		die("key 0x%08x: %s", key, why);
	}
	write_owner(lock, lock_path(path, key), queue);

	say("Server starting, key=0x%08x, msqid=%d", key, queue);
	if (*inherited)
		say("%s", inherited);
	clear_queue();
	say("Waiting for requests (msgtyp=%d)...", REQUEST_TYPE);

	out.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	errno = pthread_create(&out.thread, NULL, look_after, NULL);
	if (errno)
		die("pthread_create: %s", strerror(errno));
	serve();

	msgctl(queue, IPC_RMID, NULL);
	release_lock(key, lock);
	if (log_error)
		die("write standard output: %s", strerror(log_error));
	if (!out.stopping)
		die("key 0x%08x: the queue has been removed (msqid %d)", key, queue);
	pthread_join(out.thread, NULL);
	return 0;
}

/* SIGINT and SIGTERM, unless ignored as in the background of a script, for the thread. */
static int stop_signals(void)
{
	static const int stopping[] = {SIGINT, SIGTERM};
	sigset_t set;
	sigemptyset(&set);
	for (int i = 0; i < 2; i++) {
		struct sigaction action;
		sigaction(stopping[i], NULL, &action);
		if (action.sa_handler != SIG_IGN)
			sigaddset(&set, stopping[i]);
	}
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void help(void)
{
	puts("usage: sysv_server [flags]\n"
	     "\n"
	     "Answers what sysv_client asks through one System V message queue, until SIGINT or\n"
	     "SIGTERM; then it removes the queue. The queue of a dead server is taken over.\n"
	     "\n"
	     "flags:\n"
	     "  -h, --help              show this help\n" KEY_HELP
	     "      --fresh             remove the queue of a dead server instead, with what waits in it\n"
	     "      --quiet             print no line for a request, only what went wrong\n"
	     "\n"
	     "example:\n"
	     "  sysv_server --key 0x12345678\n"
	     "  sysv_server --path /etc/hostname --id 7 --explain-key");
	exit(0);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"help", no_argument, NULL, 'h'}, KEY_OPTIONS,
		{"fresh", no_argument, NULL, 'f'}, {"quiet", no_argument, NULL, 'q'}, {0}};
	bool fresh = false;
	int option;
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1)
		if (option == 'h')
			help();
		else if (option == 'f')
			fresh = true;
		else if (option == 'q')
			quiet = true;
		else
			key_option(option);
	if (optind < argc)
		bad_usage("takes no arguments");
	key = choose_key();
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	out.signals = stop_signals();
	return run(fresh);
}
