/* The operations that libtirpc and rpcgen's dispatchers ask of a transport. */
#include "conn.h"

static struct unp_sunrpc_conn *conn_of(SVCXPRT *transport)
{
	return transport->xp_p1;
}

static bool_t receive(SVCXPRT *transport, struct rpc_msg *msg)
{
	(void)transport;
	(void)msg;
	return FALSE;
}

static enum xprt_stat state(SVCXPRT *transport)
{
	return conn_of(transport)->error == 0 ? XPRT_IDLE : XPRT_DIED;
}

static bool_t get_args(SVCXPRT *transport, xdrproc_t decode, void *args)
{
	struct unp_sunrpc_conn *c = conn_of(transport);

	if (SVCAUTH_UNWRAP(&SVC_XP_AUTH(transport), &c->args, decode, args))
		return TRUE;
	/* What was decoded before the fault would be lost: dispatchers free nothing then. */
	xdr_free(decode, args);
	return FALSE;
}

static bool_t free_args(SVCXPRT *transport, xdrproc_t decode, void *args)
{
	(void)transport;
	xdr_free(decode, args);
	return TRUE;
}

static bool_t no_value(XDR *xdrs, ...)
{
	(void)xdrs;
	return TRUE;
}

static bool_t encode(SVCXPRT *transport, XDR *xdrs, struct rpc_msg *msg)
{
	struct accepted_reply *reply = &msg->acpted_rply;

	if (msg->rm_reply.rp_stat != MSG_ACCEPTED || reply->ar_stat != SUCCESS)
		return xdr_replymsg(xdrs, msg);
	/* The header by itself: the flavor may seal the results. */
	xdrproc_t proc = reply->ar_results.proc;
	caddr_t where = reply->ar_results.where;
	reply->ar_results.proc = no_value;
	reply->ar_results.where = NULL;
	bool_t ok = xdr_replymsg(xdrs, msg) && SVCAUTH_WRAP(&SVC_XP_AUTH(transport), xdrs, proc, where);
	reply->ar_results.proc = proc;
	reply->ar_results.where = where;
	return ok;
}

static bool_t send_reply(SVCXPRT *transport, struct rpc_msg *msg)
{
	struct unp_sunrpc_conn *c = conn_of(transport);
	XDR xdrs;

	if (c->answered || c->error != 0)
		return FALSE;
	msg->rm_xid = c->xid;
	for (;;) {
		xdrmem_create(&xdrs, c->out.bytes + MARK, c->out.size - MARK, XDR_ENCODE);
		if (encode(transport, &xdrs, msg))
			break;
		/* No room, or results that cannot be encoded at all: more room will show. */
		size_t larger = c->out.size * 2;
		if (c->out.size >= c->max_reply + MARK)
			return FALSE;
		if (larger > c->max_reply + MARK)
			larger = c->max_reply + MARK;
		if ((c->error = unp_sunrpc_reserve(&c->out, larger)) != 0)
			return FALSE;
	}
	size_t length = xdr_getpos(&xdrs);
	if (length > c->max_reply)
		return FALSE;
	c->answered = true;
	c->error = c->datagram ? unp_sunrpc_send_datagram(c, length) : unp_sunrpc_send_stream(c, length);
	return c->error == 0;
}

static void destroy(SVCXPRT *transport)
{
	(void)transport;
}

static bool_t control(SVCXPRT *transport, u_int request, void *info)
{
	(void)transport;
	(void)request;
	(void)info;
	return FALSE;
}

const struct xp_ops unp_sunrpc_ops = {
	.xp_recv = receive,
	.xp_stat = state,
	.xp_getargs = get_args,
	.xp_reply = send_reply,
	.xp_freeargs = free_args,
	.xp_destroy = destroy,
};

const struct xp_ops2 unp_sunrpc_ops2 = {.xp_control = control};
