/* socketpair - sends messages of given sizes to a child through a pair of sockets. */
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "../../../internal/lecture/ref/lecture.h"

enum { MAX_SIZE = 1024 * 1024 };

static char buffer[MAX_SIZE];

/* The child: it reads until the other end of the pipe is closed and no more is there. poll
 * looks at the pipe first: what was sent before that was closed is there then. */
static void receive(int from, int life)
{
	struct pollfd fds[] = {{.fd = life}, {.fd = from, .events = POLLIN}};
	ssize_t n;

	for (;;) {
		if (poll(fds, 2, -1) == -1 && errno != EINTR)
			die("poll: %s", strerror(errno));
		if (!fds[1].revents)
			return;
		n = read(from, buffer, sizeof buffer);
		if (n == -1)
			die("read: %s", strerror(errno));
		if (n == 0)
			return;
		say("Client received %zd\n", n);
	}
}

/* A stream's write may be interrupted when a part was sent. */
static bool send_all(int to, size_t size)
{
	for (ssize_t n; size; size -= n) {
		n = write(to, buffer, size);
		if (n == -1 && errno == EMSGSIZE) {
			say("error = %s\n", strerror(errno));
			return false;
		}
		if (n == -1)
			die("write: %s", strerror(errno));
	}
	return true;
}

static void send_sizes(int to)
{
	char *line, *end;
	long size;

	while ((line = next_line())) {
		errno = 0;
		size = strtol(line, &end, 10);
		while (isspace((unsigned char)*end))
			end++;
		if (end == line || *end || errno || size < 1 || size > MAX_SIZE)
			fprintf(stderr, "socketpair: %s: not a size from 1 to %d\n", line, MAX_SIZE);
		else if (send_all(to, size))
			say("Server sent %ld\n", size);
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {0}};
	int option, kind = -1, sockets[2], life[2], status;
	pid_t child;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'h': show_help("usage: socketpair [flags] stream|dgram\n\n"
			"Reads sizes, one a line, and sends so many bytes each time through a socketpair to a\n"
			"child process, which tells how much each of its reads returned.\n\nflags:\n"
			"  -h, --help   show this help\n\nexample:\n"
			"  printf '30000\\n1000000\\n' | socketpair stream\n  printf '30000\\n1000000\\n' | socketpair dgram");
		default: try_help();
		}
	}
	if (optind == argc - 1)
		kind = !strcmp(argv[optind], "stream") ? SOCK_STREAM : !strcmp(argv[optind], "dgram") ? SOCK_DGRAM : -1;
	if (kind == -1)
		bad_usage("wants stream or dgram");
	signal(SIGPIPE, SIG_IGN);
	/* The pipe: a datagram socket never tells the child that this process has ended. */
	if (socketpair(AF_UNIX, kind, 0, sockets) || pipe(life))
		die("socketpair: %s", strerror(errno));
	child = fork();
	if (child == -1)
		die("fork: %s", strerror(errno));
	if (child == 0) {
		close(0);
		close(sockets[0]);
		close(life[1]);
		receive(sockets[1], life[0]);
		return finish();
	}
	close(sockets[1]);
	close(life[0]);
	send_sizes(sockets[0]);
	close(life[1]);
	if (waitpid(child, &status, 0) != child || status)
		die("the client: status %d", status);
	return finish();
}
