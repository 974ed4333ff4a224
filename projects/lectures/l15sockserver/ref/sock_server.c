/* sock_server - adds 1 to numbers, in a thread for each client. */
#include <pthread.h>
#include <sys/stat.h>

#include "../../../internal/marks/ref/mark.h"
#include "number.h"

static const char *path = "sock_server";

static struct mark mark;
static bool bound;

static void remove_socket(void)
{
	if (bound)
		unlink(path);
	unmark(&mark);
}

static void *talk(void *arg)
{
	int client = (int)(intptr_t)arg;
	int32_t number;

	say("New client created\n");
	while (receive_number(client, &number)) {
		say("Received %d\n", number);
		number = (int32_t)((uint32_t)number + 1);
		if (!send_number(client, number))
			break;
		say("Sent %d\n", number);
	}
	say("Closed connection\n");
	close(client);
	return NULL;
}

/* The name that a killed server has left is taken over: nobody accepts there. */
static void listen_at(int sock)
{
	struct sockaddr_un un = address_of(path);
	const struct sockaddr *address = (struct sockaddr *)&un;
	struct stat st;

	claim(&mark, "lecture-15", "socket", path);
	at_end(remove_socket);
	hold_end(SIG_BLOCK);
	if (bind(sock, address, sizeof un)) {
		int probe = socket(AF_UNIX, SOCK_STREAM, 0);

		if (errno != EADDRINUSE)
			die("bind %s: %s", path, strerror(errno));
		if (!connect(probe, address, sizeof un) || errno != ECONNREFUSED || lstat(path, &st) || !S_ISSOCK(st.st_mode))
			die("bind %s: %s", path, strerror(EADDRINUSE));
		close(probe);
		if (unlink(path) || bind(sock, address, sizeof un))
			die("bind %s: %s", path, strerror(errno));
	}
	bound = true;
	hold_end(SIG_UNBLOCK);
	if (chmod(path, 0600) || listen(sock, 128))
		die("listen %s: %s", path, strerror(errno));
	record_file(&mark, path);
}

int main(int argc, char **argv)
{
	int sock, client, error;
	pthread_attr_t detached;
	pthread_t id;

	path = only_flag(argc, argv, "socket", path,
		"usage: sock_server [flags]\n\n"
		"Sends each number that a sock_client sends back to it, with 1 added, in a thread for\n"
		"each client, until SIGINT or SIGTERM.\n\nflags:\n"
		"      --socket path   the path of the socket (default \"sock_server\")\n"
		"  -h, --help          show this help\n\nexample:\n"
		"  sock_server & echo 1 | sock_client; kill $!");
	if (optind < argc)
		bad_usage("takes no arguments");
	sock = socket(AF_UNIX, SOCK_STREAM, 0);
	if (sock == -1)
		die("socket: %s", strerror(errno));
	listen_at(sock);
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	for (;;) {
		client = accept(sock, NULL, NULL);
		if (client == -1 && errno == EMFILE) {
			fprintf(stderr, "sock_server: accept: %s\n", strerror(errno));
			usleep(10000); /* until one leaves */
			continue;
		}
		if (client == -1)
			die("accept %s: %s", path, strerror(errno));
		if ((error = pthread_create(&id, &detached, talk, (void *)(intptr_t)client)))
			die("pthread_create: %s", strerror(error));
	}
}
