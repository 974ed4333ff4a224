/* What svc_getreq_common does, for one message and with the programs of one server. */
#include "conn.h"

#include <pthread.h>
#include <rpc/svc_auth.h>
#include <stdalign.h>
#include <string.h>

#define COOKED 1024 /* what a flavor makes of a credential; libtirpc keeps 400 for it */

/* A plugged flavor judges credentials and leaves the data as they are. */
static int as_it_is(SVCAUTH *auth, XDR *xdrs, xdrproc_t proc, caddr_t where)
{
	(void)auth;
	return proc(xdrs, where);
}

static int nothing(SVCAUTH *auth)
{
	(void)auth;
	return TRUE;
}

static struct svc_auth_ops plain = {as_it_is, as_it_is, nothing};

static bool plugged(const struct unp_sunrpc_server *server, int flavor)
{
	for (size_t i = 0; i < server->flavor_count; i++)
		if (server->flavors[i] == flavor)
			return true;
	return false;
}

/*
 * libtirpc keeps the server's credential of RPCSEC_GSS, which the making and the ending of
 * a context change, in one variable without a lock.
 */
static pthread_mutex_t gss = PTHREAD_MUTEX_INITIALIZER;

/*
 * Whether a credential of AUTH_SYS is as long as it says: RFC 5531, appendix A. libtirpc
 * finds out itself, but tells whoever reads the standard output of the server.
 */
static bool sound_sys(const struct opaque_auth *cred)
{
	enum { WORD = 4, FIXED = 5 * WORD, MACHINE = 255, GROUPS = 16 };
	uint32_t name, groups;

	if (cred->oa_length < FIXED)
		return false;
	memcpy(&name, cred->oa_base + WORD, WORD); /* behind the stamp */
	name = ntohl(name);
	if (name > MACHINE || cred->oa_length < FIXED + RNDUP(name))
		return false;
	memcpy(&groups, cred->oa_base + RNDUP(name) + FIXED - WORD, WORD);
	groups = ntohl(groups);
	return groups <= GROUPS && cred->oa_length >= FIXED + RNDUP(name) + groups * WORD;
}

static enum auth_stat authenticate(struct unp_sunrpc_conn *c, struct svc_req *req, struct rpc_msg *msg,
				   bool_t *no_dispatch)
{
	int flavor = msg->rm_call.cb_cred.oa_flavor;
	enum auth_stat why;

	c->transport.xp_verf = (struct opaque_auth){.oa_flavor = AUTH_NONE, .oa_base = c->verifier};
	*no_dispatch = FALSE;
	if (plugged(c->server, flavor)) {
		req->rq_cred = msg->rm_call.cb_cred;
		c->ext.xp_auth = (SVCAUTH){.svc_ah_ops = &plain};
		return c->server->hooks.verify(c->cookie, req, &msg->rm_call.cb_cred, &msg->rm_call.cb_verf,
					       &c->transport.xp_verf);
	}
	if (flavor == AUTH_SYS && !sound_sys(&msg->rm_call.cb_cred))
		return AUTH_BADCRED;
	if (flavor != RPCSEC_GSS)
		return _gss_authenticate(req, msg, no_dispatch);
	/* A context belongs to a transport, which all senders of datagrams share. */
	if (!c->server->gss || c->datagram)
		return AUTH_REJECTEDCRED;
	c->gss = true;
	pthread_mutex_lock(&gss);
	why = _gss_authenticate(req, msg, no_dispatch);
	pthread_mutex_unlock(&gss);
	return why;
}

static void refuse(SVCXPRT *transport, int outcome)
{
	if (outcome < 0) {
		svcerr_auth(transport, -outcome);
		return;
	}
	switch (outcome) {
	case UNP_SUNRPC_SILENCE:
		return;
	case UNP_SUNRPC_NO_PROGRAM:
		svcerr_noprog(transport);
		return;
	case UNP_SUNRPC_NO_PROCEDURE:
		svcerr_noproc(transport);
		return;
	case UNP_SUNRPC_GARBAGE_ARGS:
		svcerr_decode(transport);
		return;
	default:
		svcerr_systemerr(transport);
	}
}

bool_t unp_sunrpc_call(struct svc_req *req, void *args, void *result, size_t size)
{
	struct unp_sunrpc_conn *c = req->rq_xprt->xp_p1;

	memset(result, 0, size);
	int outcome = c->server->hooks.call(c->cookie, req, args, result);
	if (outcome == UNP_SUNRPC_DONE)
		return TRUE;
	refuse(req->rq_xprt, outcome);
	return FALSE;
}

static void dispatch(struct unp_sunrpc_conn *c, struct svc_req *req)
{
	const struct unp_sunrpc_server *s = c->server;
	rpcvers_t low = (rpcvers_t)-1, high = 0;
	bool found = false;

	for (size_t i = 0; i < s->program_count; i++) {
		const struct unp_sunrpc_program *p = &s->programs[i];
		if (p->number != req->rq_prog)
			continue;
		if (p->version == req->rq_vers) {
			int outcome = s->hooks.check ? s->hooks.check(c->cookie, req) : UNP_SUNRPC_DONE;
			if (outcome == UNP_SUNRPC_DONE)
				p->dispatch(req, &c->transport);
			else
				refuse(&c->transport, outcome);
			return;
		}
		found = true;
		if (p->version < low)
			low = p->version;
		if (p->version > high)
			high = p->version;
	}
	if (found)
		svcerr_progvers(&c->transport, low, high);
	else
		svcerr_noprog(&c->transport);
}

/*
 * A call of another version of RPC itself is answered, as RFC 5531 has it; libtirpc would
 * close the connection.
 */
static bool other_rpc_version(struct unp_sunrpc_conn *c, const char *message, size_t length)
{
	uint32_t words[3]; /* xid, direction, version */

	if (length < sizeof words)
		return false;
	memcpy(words, message, sizeof words);
	if (ntohl(words[1]) != CALL || ntohl(words[2]) == RPC_MSG_VERSION)
		return false;
	struct rpc_msg reply = {.rm_direction = REPLY};
	reply.rm_reply.rp_stat = MSG_DENIED;
	reply.rjcted_rply.rj_stat = RPC_MISMATCH;
	reply.rjcted_rply.rj_vers.low = reply.rjcted_rply.rj_vers.high = RPC_MSG_VERSION;
	c->xid = ntohl(words[0]);
	SVC_REPLY(&c->transport, &reply);
	return true;
}

int unp_sunrpc_answer(struct unp_sunrpc_conn *c, char *message, size_t length)
{
	char cred[MAX_AUTH_BYTES], verf[MAX_AUTH_BYTES];
	alignas(max_align_t) char cooked[COOKED];
	struct rpc_msg msg = {0};
	bool_t no_dispatch;

	c->answered = false;
	c->error = 0;
	if (other_rpc_version(c, message, length))
		return c->error;
	msg.rm_call.cb_cred.oa_base = cred;
	msg.rm_call.cb_verf.oa_base = verf;
	xdrmem_create(&c->args, message, length, XDR_DECODE);
	if (!xdr_callmsg(&c->args, &msg))
		return EBADMSG;
	c->xid = msg.rm_xid;

	struct svc_req req = {
		.rq_prog = msg.rm_call.cb_prog,
		.rq_vers = msg.rm_call.cb_vers,
		.rq_proc = msg.rm_call.cb_proc,
		.rq_cred = msg.rm_call.cb_cred,
		.rq_clntcred = cooked,
		.rq_xprt = &c->transport,
	};
	enum auth_stat why = authenticate(c, &req, &msg, &no_dispatch);
	if (why != AUTH_OK)
		svcerr_auth(&c->transport, why);
	else if (!no_dispatch)
		dispatch(c, &req);
	return c->error;
}
