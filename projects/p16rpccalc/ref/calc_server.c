/* calc_server: a calculator as a Sun RPC program, over TCP, UDP and Unix sockets. */
#include "serve.h"

static _Noreturn void help(void)
{
	puts("usage: calc_server [flags]\n"
	     "\n"
	     "Serves program 0x31230000 of calc.x, versions 1 and 2, until SIGINT or SIGTERM, and is\n"
	     "registered with rpcbind for as long, unless --port says where it is.\n"
	     "\n"
	     "flags:\n"
	     "  -h, --help                  show this help\n"
	     "      --transport name        tcp, udp or unix, or several with commas between (default tcp,udp)\n"
	     "      --port number           serve at this port and do not register\n"
	     "      --path file             serve at this Unix socket, for --transport unix\n"
	     "      --bind address          serve at this IPv4 address only (default 0.0.0.0)\n"
	     "      --prog number           serve as another program (default 0x31230000)\n"
	     "      --max-connections n     so many at once, the others wait (default 1000)\n"
	     "      --max-record bytes      drop who sends a longer call (default 65536)\n"
	     "      --idle seconds          drop who sends nothing for so long (default 300)\n"
	     "\n"
	     "example:\n"
	     "  calc_server --transport tcp --port 5001 --bind 127.0.0.1");
	exit(0);
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "help", no_argument, NULL, 'h' }, { "transport", required_argument, NULL, 't' },
		{ "port", required_argument, NULL, 'p' }, { "path", required_argument, NULL, 'f' },
		{ "bind", required_argument, NULL, 'b' }, { "prog", required_argument, NULL, 'g' },
		{ "max-connections", required_argument, NULL, 'c' }, { "max-record", required_argument, NULL, 'r' },
		{ "idle", required_argument, NULL, 'i' }, { 0 } };
	char tcp_udp[] = "tcp,udp", *list = tcp_udp;
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'h': help();
		case 't': list = optarg; break;
		case 'p': service.port = (long)number(optarg, "--port", 1, 65535); break;
		case 'f': service.path = optarg; break;
		case 'b':
			if (!inet_aton(optarg, &address))
				bad_usage("--bind: %s is no IPv4 address", optarg);
			break;
		case 'g': prog = (unsigned)number(optarg, "--prog", 1, UINT_MAX); break;
		case 'c': limits.connections = (long)number(optarg, "--max-connections", 1, 60000); break;
		case 'r': service.max_record = (long)number(optarg, "--max-record", 256, 1 << 20); break;
		case 'i': limits.idle = seconds(optarg, "--idle"); break;
		default: bad_usage("wrong flags");
		}
	}
	if (optind < argc)
		bad_usage("takes no arguments");
	choose_transports(list);
	run(calc_prog_1, calc_prog_2);
	return 0;
}
