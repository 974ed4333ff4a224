/* kv_server: a key-value store on one server, which keeps its word on its disk. */
#include <ctype.h>

#include "../../p16rpccalc/ref/flags.h"
#include "serve.h"

static _Noreturn void help(void)
{
	puts("usage: kv_server [flags]\n"
	     "\n"
	     "Serves the key-value store of kv.x, until SIGINT or SIGTERM. This one is alone: --peers\n"
	     "and --join, by which others replicate it, are the Go server's.\n"
	     "\n"
	     "flags:\n"
	     "  -h, --help             show this help\n"
	     "      --id number        by which people know this server\n"
	     "      --port number      serve at this TCP port\n"
	     "      --data folder      keep the log in it (default kv_data/ID-PORT)\n"
	     "      --listen address   serve at this one only; 0.0.0.0 is all, and everybody is\n"
	     "                         believed (default 127.0.0.1)\n"
	     "      --host name        of this host, as the status tells it (default localhost)\n"
	     "\n"
	     "example:\n"
	     "  kv_server --id=1 --port=9001 --data=/var/tmp/kv");
	exit(0);
}

int main(int argc, char **argv)
{
	enum { ID, PORT, DATA, LISTEN, HOST, PEERS };
	static const struct option options[] = { { "help", 0, NULL, 'h' }, { "id", 1, NULL, ID }, { "port", 1, NULL, PORT },
		{ "data", 1, NULL, DATA }, { "listen", 1, NULL, LISTEN }, { "host", 1, NULL, HOST }, { "peers", 1, NULL, PEERS },
		{ "join", 0, NULL, PEERS }, { 0 } };
	const char *at = "127.0.0.1", *host = "localhost";
	char port[8] = "", standard[64], *folder = NULL;
	static SVCXPRT none;
	pthread_condattr_t monotonic;
	sigset_t unblocked;
	int option, listener;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'h': help();
		case ID: snprintf(id, sizeof(id), "%lld", number(optarg, "--id", 1, UINT_MAX)); break;
		case PORT: snprintf(port, sizeof(port), "%lld", number(optarg, "--port", 1, 65535)); break;
		case DATA: folder = optarg; break;
		case LISTEN: at = optarg; break;
		case HOST: host = optarg; break;
		case PEERS: bad_usage("--peers, --join: this server is alone, the one in Go has others");
		default: try_help();
		}
	}
	if (optind < argc)
		bad_usage("takes no arguments");
	if (!*id)
		bad_usage("--id: a number from 1 up");
	if (!*port)
		bad_usage("--port: a number from 1 to 65535");
	snprintf(address, sizeof(address), "%.250s:%s", host, port);
	snprintf(standard, sizeof(standard), "kv_data/%s-%s", id, port);

	setvbuf(stdout, NULL, _IOLBF, 0);
	prepare_signals(&unblocked);
	signal(SIGXFSZ, SIG_IGN); /* a write beyond a limit is an error */
	memset(connections, -1, sizeof(connections));
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&moved, &monotonic);
	listener = listen_at(at, port);
	open_log(folder ? folder : standard);
	if (!svc_register(&none, KV_PROG, KV_VERS, kv_prog_1, 0))
		die("cannot make a service of kv.x");
	printf("Serving as server %s at %s, alone\n", id, address);
	serve(listener, &unblocked);
	close(log_fd);
	return finish();
}
