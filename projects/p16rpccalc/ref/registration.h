/* The server's entries in rpcbind's table. */
#ifndef REGISTRATION_H
#define REGISTRATION_H

#include "procedures.h"
#include "sockets.h"

static unsigned prog = CALC_PROG;
static struct in_addr address;

/* A server that answers, or may yet answer, is alive; a refused connection is a dead one's. */
static bool alive(struct place p, enum transport t, unsigned vers)
{
	double deadline = now() + 2;
	CLIENT *c = reach(t, p, prog, vers, deadline);
	enum clnt_stat stat;

	if (!c)
		return errno == ETIMEDOUT;
	stat = clnt_call(c, NULLPROC, (xdrproc_t)(void *)xdr_void, NULL, (xdrproc_t)(void *)xdr_void, NULL, until(deadline));
	clnt_destroy(c);
	return stat == RPC_SUCCESS || stat == RPC_TIMEDOUT || stat == RPC_AUTHERROR;
}

/* What a living server has registered is in the way. To be called before a port is opened,
 * which may be the one that a dead server had. */
static void look_for_living(void)
{
	struct in_addr loopback = { htonl(INADDR_LOOPBACK) };

	for (unsigned v = CALC_VERS; v <= CALC_VERS2; v++) {
		for (enum transport t = TCP; t <= UDP; t++) {
			int old = registered(loopback, prog, v, t, now() + 5);

			if (old == -1)
				die("no rpcbind to register with: %s; --port needs none", strerror(errno));
			if (old && alive(at_port(loopback, (unsigned)old), t, v))
				die("program 0x%x version %u is registered already, for a server at %s port %d", prog, v, names[t], old);
		}
	}
}

/* Enters the program into rpcbind's table, in place of what a killed server has left there. */
static void enter(void)
{
	for (unsigned v = CALC_VERS; v <= CALC_VERS2; v++) {
		rpcb_unset(prog, v, NULL);
		for (enum transport t = TCP; t <= UDP; t++) {
			struct place p = at_port(address, ours[t].port);
			struct netconfig *net = getnetconfigent(names[t]);
			struct netbuf where = { sizeof(p), p.size, &p };

			if (!net)
				die("/etc/netconfig: no %s", names[t]);
			if (ours[t].port && !rpcb_set(prog, v, net, &where))
				die("rpcbind does not register program 0x%x: another user's registration is in the way", prog);
			freenetconfigent(net);
		}
		printf("Registered with portmapper: program 0x%x, version %u\n", prog, v);
	}
}

#endif
