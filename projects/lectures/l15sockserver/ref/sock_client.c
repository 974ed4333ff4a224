/* sock_client - sends numbers to sock_server and prints what comes back. */
#include "number.h"

static void talk(int sock)
{
	char *line, *end;
	int32_t number;
	long typed;

	while ((line = next_line())) {
		errno = 0;
		typed = strtol(line, &end, 10);
		while (isspace((unsigned char)*end))
			end++;
		if (end == line || *end || errno || typed < INT32_MIN || typed > INT32_MAX) {
			fprintf(stderr, "sock_client: %s: not a number of 32 bits\n", line);
			continue;
		}
		number = (int32_t)typed;
		if (send_number(sock, number)) {
			say("Sent %d\n", number);
			if (receive_number(sock, &number)) {
				say("Received %d\n", number);
				continue;
			}
		}
		say("Closed connection\n");
		return;
	}
}

int main(int argc, char **argv)
{
	const char *path;
	struct sockaddr_un address;
	int sock;

	path = only_flag(argc, argv, "socket", "sock_server",
		"usage: sock_client [flags]\n\n"
		"Reads numbers, one a line, sends them to sock_server and prints what comes back.\n\nflags:\n"
		"      --socket path   the path of the socket (default \"sock_server\")\n"
		"  -h, --help          show this help\n\nexample:\n"
		"  printf '1\\n100\\n' | sock_client");
	if (optind < argc)
		bad_usage("takes no arguments");
	address = address_of(path);
	sock = socket(AF_UNIX, SOCK_STREAM, 0);
	if (sock == -1 || connect(sock, (struct sockaddr *)&address, sizeof address))
		die("connect %s: %s", path, strerror(errno));
	talk(sock);
	return finish();
}
