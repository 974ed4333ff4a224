/* sock_dgram - one of three processes that send numbers round. */
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "../../../internal/lecture/ref/lecture.h"
#include "../../../internal/marks/ref/mark.h"

static struct sockaddr_un own = {.sun_family = AF_UNIX}, next = {.sun_family = AF_UNIX};
static int sock;

static struct mark mark;
static bool bound;

static void remove_socket(void)
{
	if (bound)
		unlink(own.sun_path);
	unmark(&mark);
}

/* A name stays when its process is killed; nobody can be connected to it then. */
static void bind_own(void)
{
	const struct sockaddr *address = (const struct sockaddr *)&own;

	claim(&mark, "lecture-14", "socket", own.sun_path);
	at_end(remove_socket);
	hold_end(SIG_BLOCK);
	if (bind(sock, address, sizeof own)) {
		if (errno != EADDRINUSE)
			die("bind %s: %s", own.sun_path, strerror(errno));
		if (!connect(sock, address, sizeof own) || errno != ECONNREFUSED)
			die("bind %s: %s", own.sun_path, strerror(EADDRINUSE));
		if (unlink(own.sun_path) || bind(sock, address, sizeof own))
			die("bind %s: %s", own.sun_path, strerror(errno));
	}
	bound = true;
	hold_end(SIG_UNBLOCK);
	if (chmod(own.sun_path, 0600))
		die("chmod %s: %s", own.sun_path, strerror(errno));
	record_file(&mark, own.sun_path);
}

/* Says what it has sent, or why it could not. */
static bool send_number(int32_t number)
{
	if (sendto(sock, &number, sizeof number, 0, (const struct sockaddr *)&next, sizeof next) == -1) {
		say("error = %s\n", strerror(errno));
		return false;
	}
	say("Sent %d\n", number);
	return true;
}

static int32_t receive_number(void)
{
	char datagram[sizeof(int32_t) + 1]; /* one more, to see what is longer */
	int32_t number;
	ssize_t n;

	while ((n = recv(sock, datagram, sizeof datagram, 0)) != sizeof number) {
		if (n == -1)
			die("recv %s: %s", own.sun_path, strerror(errno));
		fprintf(stderr, "sock_dgram: a datagram that is no number\n");
	}
	memcpy(&number, datagram, sizeof number);
	say("Received %d\n", number);
	return number;
}

static void initiate(void)
{
	char *line, *end;
	long number;

	while ((line = next_line())) {
		errno = 0;
		number = strtol(line, &end, 10);
		while (isspace((unsigned char)*end))
			end++;
		if (end == line || *end || errno || number < INT32_MIN || number > INT32_MAX)
			fprintf(stderr, "sock_dgram: %s: not a number of 32 bits\n", line);
		else if (send_number((int32_t)number))
			receive_number();
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {0}};
	int option, id;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'h': show_help("usage: sock_dgram [flags] ID\n\n"
			"Is one of three processes, 0, 1 and 2, with the sockets sock0, sock1 and sock2 in the\n"
			"current directory. 0 reads numbers and sends them to 1, which adds 1 and sends them to\n"
			"2, which adds 1 and sends them to 0.\n\nflags:\n"
			"  -h, --help   show this help\n\nexample:\n"
			"  sock_dgram 1 & sock_dgram 2 & sock_dgram 0");
		default: try_help();
		}
	}
	if (optind != argc - 1 || strlen(argv[optind]) != 1 || *argv[optind] < '0' || *argv[optind] > '2')
		bad_usage("wants an ID from 0 to 2");
	id = *argv[optind] - '0';
	snprintf(own.sun_path, sizeof own.sun_path, "sock%d", id);
	snprintf(next.sun_path, sizeof next.sun_path, "sock%d", (id + 1) % 3);
	sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock == -1)
		die("socket: %s", strerror(errno));
	bind_own();
	if (id == 0) {
		initiate();
		return finish();
	}
	for (;;)
		send_number((int32_t)((uint32_t)receive_number() + 1));
}
