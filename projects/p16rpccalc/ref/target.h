/* The server that calc_client asks, and what there is to say if it does not answer. */
#ifndef TARGET_H
#define TARGET_H

#include "question.h"

static struct {
	const char *host, *path;
	enum transport transport;
	long port; /* 0: rpcbind at the host is asked */
	unsigned prog, vers;
	double timeout;
} target = { .prog = CALC_PROG, .vers = CALC_VERS2, .timeout = 5 };

/* Takes the arguments after the flags: a host and a question. */
static void read_arguments(char **argv, int argc)
{
	if ((target.transport == UNIX) != !!target.path)
		bad_usage("--path and --transport unix go together");
	if (argc == 0)
		bad_usage("which host?");
	target.host = argv[0];
	read_question(argv + 1, argc - 1);
}

static const char *where(void)
{
	static char text[512];

	if (target.path)
		snprintf(text, sizeof(text), "%s", target.path);
	else if (target.port)
		snprintf(text, sizeof(text), "%s, %s port %ld", target.host, names[target.transport], target.port);
	else
		snprintf(text, sizeof(text), "%s", target.host);
	return text;
}

static struct in_addr resolve(void)
{
	struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM }, *found;
	struct in_addr address;
	int error = getaddrinfo(target.host, NULL, &hints, &found);

	if (error)
		die("%s: %s", target.host, gai_strerror(error));
	address = ((struct sockaddr_in *)(void *)found->ai_addr)->sin_addr;
	freeaddrinfo(found);
	return address;
}

/* Where the flags or rpcbind say that the server is. */
static struct place locate(double deadline)
{
	struct in_addr address;
	int port = (int)target.port;

	if (target.path)
		return at_path(target.path);
	address = resolve();
	if (!port)
		port = registered(address, target.prog, target.vers, target.transport, deadline);
	if (port == -1)
		die("%s: no rpcbind answers there: %s; --port needs none", target.host, strerror(errno));
	if (port == 0)
		die("%s: program 0x%x is not registered there for %s", target.host, target.prog, names[target.transport]);
	return at_port(address, (unsigned)port);
}

/* There is no connection to a place; errno says why. */
static _Noreturn void no_connection(struct place p)
{
	if (errno == ETIMEDOUT)
		die("%s: no connection within %g s", where(), target.timeout);
	if (!target.port && !target.path)
		die("%s: program 0x%x is registered at %s port %u, but nobody listens there: %s", target.host, target.prog,
			names[target.transport], ntohs(p.in.sin_port), strerror(errno));
	die("%s: no server there: %s", where(), strerror(errno));
}

/* A call failed. */
static _Noreturn void explain(const struct rpc_err *e)
{
	switch (e->re_status) {
	case RPC_TIMEDOUT:
		die("%s: no answer within %g s", where(), target.timeout);
	case RPC_PROGUNAVAIL:
		die("%s: there is a server, but not of program 0x%x", where(), target.prog);
	case RPC_PROGVERSMISMATCH:
		die("%s: program 0x%x has versions %u to %u, not %u", where(), target.prog, (unsigned)e->re_vers.low,
			(unsigned)e->re_vers.high, target.vers);
	case RPC_PROCUNAVAIL:
		die("%s: version %u of program 0x%x has no procedure %s", where(), target.vers, target.prog, operation->name);
	case RPC_SYSTEMERROR:
		die("%s: the server failed%s", where(),
			target.vers == 1 ? "; in version 1 that may be an overflow, which it has no result for" : "");
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

/* Asks the question in version 2; NULL if the call failed. */
static calc_result *ask(CLIENT *c)
{
	return operation->in_version_2 ? operation->in_version_2(&two, c) : evaluate_2(&tokens, c);
}

#endif
