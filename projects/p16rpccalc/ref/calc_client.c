/* calc_client: asks calc_server, over Sun RPC, for the result of a calculation. */
#include "load.h"

static unsigned prog = CALC_PROG, vers = CALC_VERS2;
static bool vers_given;
static enum transport transport = TCP;
static long port = -1;
static const char *path, *host;
static double timeout = 5;

static const char *where(void)
{
	static char text[512];

	if (path)
		snprintf(text, sizeof(text), "%s", path);
	else if (port > 0)
		snprintf(text, sizeof(text), "%s, %s port %ld", host, names[transport], port);
	else
		snprintf(text, sizeof(text), "%s", host);
	return text;
}

static struct in_addr resolve(void)
{
	struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM }, *found;
	struct in_addr address;
	int error = getaddrinfo(host, NULL, &hints, &found);

	if (error)
		die("%s: %s", host, gai_strerror(error));
	address = ((struct sockaddr_in *)(void *)found->ai_addr)->sin_addr;
	freeaddrinfo(found);
	return address;
}

/* A connection to the server, where the flags or rpcbind say it is. */
static CLIENT *dial(void)
{
	double deadline = now() + timeout;
	struct place p;
	CLIENT *c;

	if (path) {
		p = at_path(path);
	} else {
		struct in_addr address = resolve();
		int found = port > 0 ? (int)port : registered(address, prog, vers, transport, deadline);

		if (found == -1)
			die("%s: no rpcbind answers there: %s; --port needs none", host, strerror(errno));
		if (found == 0)
			die("%s: program 0x%x is not registered there for %s", host, prog, names[transport]);
		p = at_port(address, (unsigned)found);
	}
	c = reach(transport, p, prog, vers, deadline);
	if (!c && errno == ETIMEDOUT)
		die("%s: no connection within %g s", where(), timeout);
	if (!c && port < 0 && !path)
		die("%s: program 0x%x is registered at %s port %u, but nobody listens there: %s", host, prog,
			names[transport], ntohs(p.in.sin_port), strerror(errno));
	if (!c)
		die("%s: no server there: %s", where(), strerror(errno));
	auth_destroy(c->cl_auth);
	c->cl_auth = authnone_create();
	return c;
}

static _Noreturn void explain(const struct rpc_err *e)
{
	switch (e->re_status) {
	case RPC_TIMEDOUT:
		die("%s: no answer within %g s", where(), timeout);
	case RPC_PROGUNAVAIL:
		die("%s: there is a server, but not of program 0x%x", where(), prog);
	case RPC_PROGVERSMISMATCH:
		die("%s: program 0x%x has versions %u to %u, not %u", where(), prog, (unsigned)e->re_vers.low,
			(unsigned)e->re_vers.high, vers);
	case RPC_PROCUNAVAIL:
		die("%s: version %u of program 0x%x has no procedure %s", where(), vers, prog, operation->name);
	case RPC_SYSTEMERROR:
		die("%s: the server failed%s", where(),
			vers == 1 ? "; in version 1 that may be an overflow, which it has no result for" : "");
	case RPC_CANTSEND:
	case RPC_CANTRECV:
		if (e->re_errno == ECONNREFUSED) /* of a datagram */
			die("%s: nobody listens there: %s", where(), strerror(e->re_errno));
		die("%s: the server ended the connection: %s", where(),
			e->re_errno ? strerror(e->re_errno) : "EOF");
	case RPC_CANTDECODEARGS:
		die("%s: the server cannot decode the arguments", where());
	case RPC_CANTDECODERES:
		die("%s: the answer is not what calc.x says", where());
	case RPC_AUTHERROR:
		die("%s: the server wants other credentials", where());
	case RPC_VERSMISMATCH:
		die("%s: the server speaks another version of RPC", where());
	default:
		die("%s: %s", where(), clnt_sperrno(e->re_status));
	}
}

static int value_of(const calc_result *r)
{
	switch (r->status) {
	case CALC_OK:
		return r->calc_result_u.value;
	case CALC_OVERFLOW:
		die("%s: overflow: the result is no 32-bit integer", asked);
	case CALC_DIVISION_BY_ZERO:
		die("%s: division by zero", asked);
	case CALC_MALFORMED:
		die("%s: not an expression in postfix notation", asked);
	default:
		die("%s: the server says %d instead of a result", asked, (int)r->status);
	}
}

/* One call. A server of version 1 only is asked in version 1, unless --vers says otherwise. */
static int call(CLIENT *c)
{
	struct rpc_err error;
	rpcvers_t older = CALC_VERS;
	calc_result *r;
	int *i;

	for (;;) {
		if (vers == CALC_VERS && operation->in_version_1) {
			if ((i = operation->in_version_1(&two, c)))
				return *i;
		} else {
			r = operation->in_version_2 ? operation->in_version_2(&two, c) : evaluate_2(&tokens, c);
			if (r)
				return value_of(r);
		}
		clnt_geterr(c, &error);
		if (error.re_status != RPC_PROGVERSMISMATCH || vers_given || vers == CALC_VERS || error.re_vers.low > CALC_VERS)
			explain(&error);
		vers = CALC_VERS;
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
		case 't': transport = transport_named(optarg); break;
		case 'p': port = (long)number(optarg, "--port", 1, 65535); break;
		case 'f': path = optarg; break;
		case 'w': timeout = seconds(optarg, "--timeout"); break;
		case 'g': prog = (unsigned)number(optarg, "--prog", 1, UINT_MAX); break;
		case 'v':
			vers = (unsigned)number(optarg, "--vers", 0, UINT_MAX);
			vers_given = true;
			break;
		case 'c': count = (long)number(optarg, "--count", 1, LONG_MAX); break;
		case 'n': clients = (long)number(optarg, "--clients", 1, 10000); break;
		default: bad_usage("wrong flags");
		}
	}
	if ((transport == UNIX) != !!path)
		bad_usage("--path and --transport unix go together");
	if (optind == argc)
		bad_usage("which host?");
	host = argv[optind];
	read_question(argv + optind + 1, argc - optind - 1);
	signal(SIGPIPE, SIG_IGN);
	c = dial();
	value = call(c);
	clnt_destroy(c);
	printf("Result: %d\n", value);
	if (count)
		load(count, clients, value);
	return finish();
}
