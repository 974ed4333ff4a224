/* calc_server: answers requests from a well-known FIFO through FIFOs of the clients. */
#include <getopt.h>
#include <poll.h>

#include "eval.h"
#include "listen.h"
#include "replies.h"

/* A request line, its newline taken off. False if it is none; then why. */
static bool parse(const char *line, size_t len, long *pid, const char **operation, const char **why)
{
	size_t i = 0;
	*pid = 0;
	while (i < len && line[i] >= '0' && line[i] <= '9' && *pid <= INT_MAX)
		*pid = *pid * 10 + line[i++] - '0';
	if (i == len || line[i] != ':' || line[0] == '0' || *pid > INT_MAX || i == 0) {
		*why = "not pid:operation";
		return false;
	}
	*operation = line + i + 1;
	if (glued(*operation, len - i - 1) >= 0) {
		*why = "two requests in one line";
		return false;
	}
	return true;
}

static void serve(const char *line, size_t len)
{
	static char shown[SHOWN(PIPE_BUF)];
	const char *operation, *why;
	char answer[ANSWER_SIZE];
	long pid;
	if (!parse(line, len, &pid, &operation, &why)) {
		say("Refused: \"%s\": %s", show(shown, line, len), why);
		return;
	}
	len -= operation - line;
	if (!quiet)
		say("Received: %s from client %ld", show(shown, operation, len), pid);
	evaluate(operation, len, answer);
	reply(pid, answer, strlen(strcat(answer, "\n")));
}

static void refuse_long_line(void)
{
	say("Refused: a line longer than %d bytes", PIPE_BUF);
}

/* The unterminated end of what was read. */
static struct {
	char text[PIPE_BUF];
	size_t len;
	bool too_long; /* more than text can hold, and thrown away */
	bool whole;    /* the FIFO was empty behind it, so what follows is another write */
} rest;

/* The first line behind the rest. */
static void serve_after_rest(const char *line, size_t len)
{
	static char shown[SHOWN(PIPE_BUF)];
	const char *operation, *why;
	long pid;
	bool alone = rest.whole && len < PIPE_BUF && parse(line, len, &pid, &operation, &why);
	if (rest.too_long || (!alone && rest.len + len >= PIPE_BUF)) {
		refuse_long_line();
	} else if (alone) {
		say("Refused: \"%s\": no newline", show(shown, rest.text, rest.len));
	} else {
		memcpy(rest.text + rest.len, line, len);
		serve(rest.text, rest.len + len);
	}
	if (alone)
		serve(line, len);
	rest.len = 0;
	rest.too_long = false;
}

/* Takes what one read returned; drained says that it left nothing in the FIFO. */
static void feed(const char *at, size_t len, bool drained)
{
	const char *end;
	for (; (end = memchr(at, '\n', len)); len -= end + 1 - at, at = end + 1) {
		if (rest.len || rest.too_long)
			serve_after_rest(at, end - at);
		else if (end - at >= PIPE_BUF)
			refuse_long_line();
		else
			serve(at, end - at);
	}
	if (rest.len + len >= PIPE_BUF) {
		rest.too_long = true;
		rest.len = 0;
	} else if (!rest.too_long) {
		memcpy(rest.text + rest.len, at, len);
		rest.len += len;
	}
	rest.whole = drained;
}

/* Answers requests until a signal comes. */
static void run(int fifo, int signals)
{
	static char chunk[1 << 16]; /* a FIFO's capacity */
	struct pollfd ready[] = {{fifo, POLLIN, 0}, {signals, POLLIN, 0}};
	while (!log_error) {
		int64_t next = retry_replies();
		if (poll(ready, 2, next ? poll_timeout(next - monotonic_ns()) : -1) <= 0)
			continue;
		if (ready[1].revents)
			break;
		/* A read takes all there is: a short one has left nothing. */
		ssize_t n = read(fifo, chunk, sizeof chunk);
		if (n > 0)
			feed(chunk, n, n < (ssize_t)sizeof chunk);
	}
}

static void help(void)
{
	puts("usage: calc_server [flags]\n"
	     "\n"
	     "Answers arithmetic that calc_client sends through a FIFO, until SIGINT or SIGTERM.\n"
	     "Each answer goes into the FIFO calc_client_<pid> in the same directory.\n"
	     "\n"
	     "flags:\n"
	     "  -h, --help          show this help\n"
	     "      --fifo string   the FIFO to listen on (default \"" DEFAULT_FIFO "\")\n"
	     "      --quiet         print no line for a request and its answer, only what went wrong\n"
	     "\n"
	     "example:\n"
	     "  calc_server --fifo /tmp/my_calc");
	exit(0);
}

static _Noreturn void bad_usage(void)
{
	fputs("Try 'calc_server --help'.\n", stderr);
	exit(2);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"help", no_argument, NULL, 'h'},
		{"fifo", required_argument, NULL, 'f'}, {"quiet", no_argument, NULL, 'q'}, {0}};
	int option;
	argv[0] = "calc_server"; /* as getopt's errors begin */
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1)
		switch (option) {
		case 'h':
			help();
			break;
		case 'f':
			server_fifo = optarg;
			break;
		case 'q':
			quiet = true;
			break;
		default:
			bad_usage();
		}
	if (optind < argc || strlen(server_fifo) + sizeof REPLY_PREFIX + 20 > PATH_MAX) {
		fprintf(stderr, "calc_server: %s\n",
			optind < argc ? "takes no arguments" : "the FIFO's path is too long");
		bad_usage();
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	umask(0); /* a FIFO's mode is what this program says */

	sigset_t stopping;
	int signals = stop_signals(&stopping);
	signal(SIGPIPE, SIG_IGN);
	int fifo = listen_at(server_fifo);
	remove_dead_replies(server_fifo);
	say("Server listening on %s...", server_fifo);
	run(fifo, signals);
	if (named(server_fifo, fifo))
		unlink(server_fifo);
	if (log_error)
		die("write", "standard output", strerror(log_error));
	return 0;
}
