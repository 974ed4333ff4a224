/* sysv_client: asks sysv_server through its System V queue. */
#include "exchange.h"

/* Finds the queue, which must be ours, as others could read what is in it. */
static void find_queue(void)
{
	struct msqid_ds ds;
	queue = msgget(key, 0600);
	if (queue < 0 && errno == ENOENT)
		die("key 0x%08x: there is no queue, so no server is running", key);
	if (queue < 0)
		die("msgget key 0x%08x: %s", key, strerror(errno));
	if (msgctl(queue, IPC_STAT, &ds) != 0)
		fail("msgctl");
	if (ds.msg_perm.uid != geteuid())
		die("key 0x%08x: the queue (msqid %d) is another user's, with uid %u", key, queue,
			ds.msg_perm.uid);
}

/* Throws away what an earlier process with our pid was sent and did not take. */
static void drain(void)
{
	while (receive(queue, &room, response_type(getpid()), IPC_NOWAIT) >= 0)
		;
	if (errno != ENOMSG)
		fail("msgrcv");
}

static __attribute__((format(printf, 1, 2))) void say(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int n = vprintf(format, args);
	va_end(args);
	if (n < 0 || fflush(stdout) != 0)
		die("write standard output: %s", strerror(errno));
}

static void ask(const char *text, size_t len, long count)
{
	struct request *r = allocate(NULL, sizeof *r + len);
	uint64_t begin = now_ns();
	char *first = NULL;
	size_t first_len = 0, n;
	*r = (struct request){.type = REQUEST_TYPE, .magic = MAGIC, .pid = getpid()};
	if (!started(r->pid, &r->started))
		die("/proc/%d/stat: does not tell when this process was started", r->pid);
	memcpy(r->text, text, len);
	say("Sending to server (msgtyp=%d)\n", REQUEST_TYPE);
	for (long i = 0; i < (count ? count : 1); i++) {
		send_request(r, REQUEST_HEAD + len);
		if (i == 0)
			say("Waiting for response (msgtyp=%ld)\n", response_type(getpid()));
		const struct response *answer = receive_response(r->nonce, &n);
		if (i == 0) {
			first = memcpy(allocate(NULL, n + 1), answer->text, n);
			first_len = n;
			fputs("Response: ", stdout);
			fwrite(first, 1, n, stdout);
			say("\n");
		} else if (n != first_len || memcmp(first, answer->text, n) != 0) {
			die("the same text was answered first by \"%s\", then by \"%s\"", show(first, first_len),
				show(answer->text, n));
		}
	}
	double elapsed = (double)(now_ns() - begin) / SECOND;
	if (count)
		say("%ld round trips in %.3f s, %.0f per second\n", count, elapsed, count / elapsed);
	free(first);
	free(r);
	free(room.message);
}

/* All of standard input. */
static char *read_all(size_t *len)
{
	char *text = NULL;
	size_t size = 0;
	*len = 0;
	do {
		if (*len == size)
			text = allocate(text, size = size ? 2 * size : 8192);
		*len += fread(text + *len, 1, size - *len, stdin);
	} while (!feof(stdin) && !ferror(stdin));
	if (ferror(stdin))
		die("read standard input: %s", strerror(errno));
	return text;
}

static void help(void)
{
	puts("usage: sysv_client [flags] TEXT\n"
	     "\n"
	     "Asks sysv_server to process a text; \"-\" is what standard input has.\n"
	     "\n"
	     "flags:\n"
	     "  -h, --help              show this help\n" KEY_HELP
	     "      --timeout seconds   how many seconds to wait for an answer (default 5)\n"
	     "      --count number      ask this number of times, one after the other, and tell how fast\n"
	     "\n"
	     "example:\n"
	     "  sysv_client HELLO\n"
	     "  sysv_client --key 0x12345678 - </etc/hostname");
	exit(0);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"help", no_argument, NULL, 'h'}, KEY_OPTIONS,
		{"timeout", required_argument, NULL, 't'}, {"count", required_argument, NULL, 'c'}, {0}};
	long count = 0;
	int option;
	char *end;
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1)
		switch (option) {
		case 'h':
			help();
			break;
		case 't':
			timeout = strtod(optarg, &end);
			if (end == optarg || *end || !(timeout > 0 && timeout <= INT_MAX))
				bad_usage("--timeout must be more than 0");
			break;
		case 'c':
			count = strtol(optarg, &end, 10);
			if (end == optarg || *end || count < 1)
				bad_usage("--count must be at least 1");
			break;
		default:
			key_option(option);
		}
	if (argc - optind != 1 && !chosen.explain)
		bad_usage("wants one text, got %d", argc - optind);
	key = choose_key();
	char *text = argv[optind], *input = NULL;
	size_t len = strlen(text);
	if (strcmp(text, "-") == 0)
		text = input = read_all(&len);
	signal(SIGPIPE, SIG_IGN);
	/* msgsnd and msgrcv are not restarted, whatever the flag; write is. */
	sigaction(SIGALRM, &(struct sigaction){.sa_handler = no_alarm, .sa_flags = SA_RESTART}, NULL);
	find_queue();
	drain();
	ask(text, len, count);
	free(input);
	return 0;
}
