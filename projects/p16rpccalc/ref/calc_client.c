/* calc_client: asks calc_server, over Sun RPC, for the result of a calculation. */
#include "load.h"

static bool vers_given;

/* A connection to the server. */
static CLIENT *dial(void)
{
	double deadline = now() + target.timeout;
	struct place p = locate(deadline);
	CLIENT *c = reach(target.transport, p, target.prog, target.vers, deadline);

	if (!c)
		no_connection(p);
	auth_destroy(c->cl_auth);
	c->cl_auth = authnone_create();
	return c;
}

/* One call. A server of version 1 only is asked in version 1, unless --vers says otherwise. */
static int call(CLIENT *c)
{
	struct rpc_err error;
	rpcvers_t older = CALC_VERS;
	calc_result *r;
	int *i;

	for (;;) {
		if (target.vers == CALC_VERS && operation->in_version_1) {
			if ((i = operation->in_version_1(&two, c)))
				return *i;
		} else if ((r = ask(c))) {
			return value_of(r);
		}
		clnt_geterr(c, &error);
		if (error.re_status != RPC_PROGVERSMISMATCH || vers_given || target.vers == CALC_VERS ||
		    error.re_vers.low > CALC_VERS)
			explain(&error);
		target.vers = CALC_VERS;
		clnt_control(c, CLSET_VERS, (char *)&older);
	}
}

static _Noreturn void help(void)
{
	puts("usage: calc_client [flags] HOST OPERATION A B\n"
	     "       calc_client [flags] HOST evaluate EXPRESSION\n"
	     "\n"
	     "Asks the calc_server at HOST, which rpcbind there is asked for. The operations are add,\n"
	     "subtract, multiply, divide, remainder, and evaluate for postfix expressions.\n"
	     "\n"
	     "flags:\n"
	     "  -h, --help             show this help\n"
	     "      --transport name   tcp, udp or unix (default tcp)\n"
	     "      --port number      ask at this port, without rpcbind\n"
	     "      --path file        ask at this Unix socket, for --transport unix\n"
	     "      --timeout seconds  how long to wait for an answer (default 5)\n"
	     "      --prog number      ask another program (default 0x31230000)\n"
	     "      --vers number      ask this version (default 2, or 1 where 2 is not served)\n"
	     "      --count number     ask this number of times more, and tell how fast\n"
	     "      --clients number   so many at once, each with a connection, for --count (default 1)\n"
	     "\n"
	     "example:\n"
	     "  calc_client localhost add 5 3\n"
	     "  calc_client --port 5001 localhost evaluate '1 2 + 3 *'");
	exit(0);
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "help", no_argument, NULL, 'h' }, { "transport", required_argument, NULL, 't' },
		{ "port", required_argument, NULL, 'p' }, { "path", required_argument, NULL, 'f' },
		{ "timeout", required_argument, NULL, 'w' }, { "prog", required_argument, NULL, 'g' },
		{ "vers", required_argument, NULL, 'v' }, { "count", required_argument, NULL, 'c' },
		{ "clients", required_argument, NULL, 'n' }, { 0 } };
	long count = 0, clients = 1;
	int option, value;
	CLIENT *c;

	/* The flags end at the first argument: numbers may begin with a dash. */
	while ((option = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
		switch (option) {
		case 'h': help();
		case 't': target.transport = transport_named(optarg); break;
		case 'p': target.port = (long)number(optarg, "--port", 1, 65535); break;
		case 'f': target.path = optarg; break;
		case 'w': target.timeout = seconds(optarg, "--timeout"); break;
		case 'g': target.prog = (unsigned)number(optarg, "--prog", 1, UINT_MAX); break;
		case 'v':
			target.vers = (unsigned)number(optarg, "--vers", 0, UINT_MAX);
			vers_given = true;
			break;
		case 'c': count = (long)number(optarg, "--count", 1, LONG_MAX); break;
		case 'n': clients = (long)number(optarg, "--clients", 1, 10000); break;
		default: bad_usage("wrong flags");
		}
	}
	read_arguments(argv + optind, argc - optind);
	signal(SIGPIPE, SIG_IGN);
	c = dial();
	value = call(c);
	clnt_destroy(c);
	printf("Result: %d\n", value);
	if (count)
		load(count, clients, value);
	return finish();
}
