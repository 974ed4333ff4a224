/* calc_client: asks calc_server for the result of an expression. */
#include <fcntl.h>
#include <getopt.h>
#include <sys/stat.h>

#include "exchange.h"

static void open_server(void)
{
	struct stat st;
	server = lstat(server_path, &st);
	if (server == 0 && !S_ISFIFO(st.st_mode))
		die("%s: not a FIFO", server_path);
	if (server == 0)
		server = open(server_path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	if (server < 0 && (errno == ENXIO || errno == ENOENT))
		die("%s: no server is listening", server_path);
	if (server < 0)
		die("open %s: %s", server_path, strerror(errno));
}

/* Removes what an earlier process with our pid left. */
static void replace(const char *old)
{
	struct stat st;
	if (lstat(old, &st) != 0)
		return;
	if (!S_ISFIFO(st.st_mode))
		die("%s: not a FIFO", old);
	if (st.st_uid != geteuid())
		die("%s: another user's FIFO", old);
	if (open(old, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC) >= 0)
		die("%s: in use by another client with this pid", old);
	unlink(old);
}

/*
 * Opened for writing too: otherwise poll(2) reports a hangup for ever after the
 * first reply, whose writer has gone.
 */
static void make_reply(void)
{
	char name[PATH_MAX];
	reply_path(name, server_path, getpid());
	while (mkfifo(name, 0600) != 0) {
		if (errno != EEXIST)
			die("mkfifo %s: %s", name, strerror(errno));
		replace(name);
	}
	strcpy(path, name);
	reply = open(path, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	if (reply < 0)
		die("open %s: %s", name, strerror(errno));
}

/* Makes the request line, or says why the operation cannot be sent. */
static void make_request(char request[PIPE_BUF + 1], const char *operation)
{
	char shown[SHOWN(1)];
	int at = (int)strcspn(operation, "\n");
	if (!operation[at])
		at = glued(operation, strlen(operation));
	if (at >= 0) {
		fprintf(stderr, "error: unexpected '%s' at %d\n", show(shown, operation + at, 1), at + 1);
		exit(1);
	}
	int len = snprintf(request, PIPE_BUF + 1, "%d:%s\n", getpid(), operation);
	if (len > PIPE_BUF)
		die("the request has %d bytes, at most %d arrive as one", len, PIPE_BUF);
}

static void ask(const char *operation, long count)
{
	char request[PIPE_BUF + 1], answer[PIPE_BUF], first[PIPE_BUF];
	open_server();
	make_request(request, operation);
	make_reply();
	int64_t start = monotonic_ns();
	for (long n = 0; n < (count ? count : 1); n++) {
		skip_old_answers();
		exchange(request, NULL, answer);
		if (strncmp(answer, "error: ", 7) == 0) {
			clean_up();
			fprintf(stderr, "%s\n", answer);
			exit(1);
		}
		if (n == 0)
			strcpy(first, answer);
		else if (strcmp(first, answer) != 0)
			die("the answer was %s and is %s", first, answer);
	}
	double elapsed = (monotonic_ns() - start) / (double)SECOND;
	clean_up();
	printf("Result: %s\n", answer);
	if (count)
		printf("%ld round trips in %.3f s, %.0f per second\n", count, elapsed, count / elapsed);
	if (fflush(stdout) != 0)
		die("write standard output: %s", strerror(errno));
}

static void help(void)
{
	puts("usage: calc_client [flags] EXPRESSION\n"
	     "\n"
	     "Asks calc_server for the result of an expression: integers and decimals, + - * / %,\n"
	     "parentheses. A result that is an error goes to standard error, with exit status 1.\n"
	     "\n"
	     "flags:\n"
	     "  -h, --help              show this help\n"
	     "      --fifo string       the server's FIFO (default \"" DEFAULT_FIFO "\")\n"
	     "      --timeout seconds   how many seconds to wait for an answer (default 5)\n"
	     "      --count number      ask this number of times, one after the other, and tell how fast\n"
	     "\n"
	     "example:\n"
	     "  calc_client \"5 + 3\"\n"
	     "  calc_client \"-7 / (2.5 - 1)\"");
	exit(0);
}

static _Noreturn void bad_usage(const char *what)
{
	if (what)
		fprintf(stderr, "calc_client: %s\n", what);
	fputs("Try 'calc_client --help'.\n", stderr);
	exit(2);
}

/*
 * Lets the last argument be an expression like "-3 + 5" without a "--" before it:
 * no flag goes on like a number.
 */
static char **negative(int *argc, char **argv, char **longer)
{
	char *last = argv[*argc - 1];
	bool plain = *argc < 2 || last[0] != '-' || !last[1] || !strchr("0123456789.( ", last[1]);
	for (int i = 1; i < *argc; i++)
		plain |= strcmp(argv[i], "--") == 0;
	if (plain)
		return argv;
	memcpy(longer, argv, (*argc - 1) * sizeof *argv);
	longer[*argc - 1] = "--";
	longer[*argc] = last;
	longer[++*argc] = NULL;
	return longer;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"help", no_argument, NULL, 'h'},
		{"fifo", required_argument, NULL, 'f'}, {"timeout", required_argument, NULL, 't'},
		{"count", required_argument, NULL, 'c'}, {0}};
	long count = 0;
	int option;
	char *end, *longer[argc + 2];
	argv = negative(&argc, argv, longer);
	argv[0] = "calc_client"; /* as getopt's errors begin */
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1)
		switch (option) {
		case 'h':
			help();
			break;
		case 'f':
			server_path = optarg;
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
			bad_usage(NULL);
		}
	if (argc - optind != 1)
		bad_usage("wants one expression");
	if (strlen(server_path) + sizeof REPLY_PREFIX + 20 > PATH_MAX)
		bad_usage("the FIFO's path is too long");
	umask(0); /* a FIFO's mode is what this program says */
	signals = stop_signals(&stopping);
	signal(SIGPIPE, SIG_IGN);
	ask(argv[optind], count);
	return 0;
}
