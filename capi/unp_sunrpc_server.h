/*
 * unp_sunrpc_server.h - the server's side of Sun RPC: RFC 5531, UNPv2 16.
 *
 * The transport is this shim's own, one for each connection: libtirpc's has no limits of
 * its own on records and time, keeps one table for the whole process, and is not safe in
 * several threads. What a message means is left to libtirpc: xdr_callmsg,
 * _gss_authenticate, svc_sendreply, svcerr_auth, and the dispatchers of rpcgen.
 */
#ifndef UNP_SUNRPC_SERVER_H
#define UNP_SUNRPC_SERVER_H

#include "unp.h"

#include <rpc/rpc.h>
#include <stdbool.h>

/* A version of a program, and what rpcgen -m made of it. */
struct unp_sunrpc_program {
	rpcprog_t number;
	rpcvers_t version;
	void (*dispatch)(struct svc_req *, SVCXPRT *);
};

/*
 * How a call ends. A negative number is an authentication error: -AUTH_TOOWEAK. The
 * positive ones are those of enum accept_stat, and one for no answer at all.
 */
enum unp_sunrpc_outcome {
	UNP_SUNRPC_DONE = 0,
	UNP_SUNRPC_NO_PROGRAM = PROG_UNAVAIL,
	UNP_SUNRPC_NO_PROCEDURE = PROC_UNAVAIL,
	UNP_SUNRPC_GARBAGE_ARGS = GARBAGE_ARGS,
	UNP_SUNRPC_SYSTEM_ERR = SYSTEM_ERR,
	UNP_SUNRPC_SILENCE = 100
};

/*
 * Called on the thread that serves the connection, with the cookie of the connection.
 * What is pointed to is borrowed until the function returns.
 */
struct unp_sunrpc_hooks {
	/* Runs procedure req->rq_proc. result is zeroed; what is put there is freed by
	   the dispatcher with xdr_free, whatever is returned. */
	int (*call)(void *cookie, struct svc_req *req, void *args, void *result);
	/* May refuse a call before its arguments are decoded. NULL: never. */
	int (*check)(void *cookie, struct svc_req *req);
	/* Judges a credential of one of the flavors below: an enum auth_stat. reply is
	   the verifier of the answer; oa_base is room for MAX_AUTH_BYTES. */
	int (*verify)(void *cookie, struct svc_req *req, struct opaque_auth *cred,
		      struct opaque_auth *verf, struct opaque_auth *reply);
};

/* Must not change while connections use it. */
struct unp_sunrpc_server {
	const struct unp_sunrpc_program *programs;
	size_t program_count;
	const int *flavors; /* that verify judges, not libtirpc */
	size_t flavor_count;
	bool gss; /* whether RPCSEC_GSS is served, over streams */
	struct unp_sunrpc_hooks hooks;
	size_t max_record; /* bytes of a request, and of a reply */
	int64_t idle_ns;   /* between requests; UNP_FOREVER */
	int64_t record_ns; /* from the first byte of a record to its last, either way */
};

struct unp_sunrpc_conn;

/*
 * A connection over fd, which stays the caller's: connected (stream) or a bound datagram
 * socket, blocking. Several may be open for one datagram socket, each on a thread.
 * server is borrowed until the connection is closed. Errors: ENOMEM, and of setsockopt(2).
 */
int unp_sunrpc_open(const struct unp_sunrpc_server *server, int fd, void *cookie,
		    struct unp_sunrpc_conn **conn);
void unp_sunrpc_close(struct unp_sunrpc_conn *conn);

/*
 * Serves until the end: 0 when the peer has closed between two records, or after
 * unp_sunrpc_stop. Errors: EBADMSG (no RPC call), EMSGSIZE (a record over max_record),
 * ETIMEDOUT (idle, or a record took too long), ECONNABORTED (ended within a record),
 * ENOMEM, and of recv(2) and send(2).
 */
int unp_sunrpc_serve_stream(struct unp_sunrpc_conn *conn);

/* Serves until unp_sunrpc_stop. What is no RPC call is ignored. Errors: of recvmsg(2). */
int unp_sunrpc_serve_datagrams(struct unp_sunrpc_conn *conn);

/*
 * From any thread: no call is begun any more. The thread that serves may sleep in recv(2):
 * shutdown(2) with SHUT_RD wakes it.
 */
void unp_sunrpc_stop(struct unp_sunrpc_conn *conn);

/* Where a datagram came from. */
void unp_sunrpc_peer(const struct svc_req *req, struct sockaddr_storage *peer);

/*
 * The name under which this process serves RPCSEC_GSS: rpc_gss_set_svc_name(3), before the
 * first connection. Errors: EACCES (no key for it), ENOTSUP (libtirpc was built without
 * RPCSEC_GSS).
 */
int unp_sunrpc_gss_name(const char *principal, const char *mechanism);

/*
 * Who makes a call by RPCSEC_GSS: rpc_gss_getcred(3). size is that of each text. Errors:
 * ENOENT (it is not by RPCSEC_GSS), ENOTSUP.
 */
int unp_sunrpc_gss_peer(struct svc_req *req, char *principal, char *mechanism, size_t size, int *protection);

/*
 * What the procedures of rpcgen -M are made of: they call the hook. False after a
 * refusal, which has then been sent.
 */
bool_t unp_sunrpc_call(struct svc_req *req, void *args, void *result, size_t size);

#define UNP_SUNRPC_PROCEDURE(name, args, result)                                    \
	bool_t name(args *a, result *r, struct svc_req *req)                        \
	{                                                                           \
		return unp_sunrpc_call(req, a, r, sizeof *r);                       \
	}

/* One without a result. */
#define UNP_SUNRPC_PROCEDURE_VOID(name, args)                                       \
	bool_t name(args *a, void *r, struct svc_req *req)                          \
	{                                                                           \
		return unp_sunrpc_call(req, a, r, 0);                               \
	}

#define UNP_SUNRPC_FREERESULT(name)                                                 \
	int name(SVCXPRT *transport, xdrproc_t xdr_result, caddr_t result)          \
	{                                                                           \
		(void)transport;                                                    \
		xdr_free(xdr_result, result);                                       \
		return TRUE;                                                        \
	}

#endif
