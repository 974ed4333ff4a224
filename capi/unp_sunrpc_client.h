/*
 * unp_sunrpc_client.h - the client's side of Sun RPC: rpc_clnt_create(3), UNPv2 16.
 *
 * Calls are made by the stubs of rpcgen -M with the handle that is made here, one at a
 * time. They need no shim.
 */
#ifndef UNP_SUNRPC_CLIENT_H
#define UNP_SUNRPC_CLIENT_H

#include "unp.h"

#include <rpc/rpc.h>

/*
 * A handle over fd, connected and blocking: clnt_vc_create or clnt_dg_create.
 * unp_sunrpc_client_free closes fd; after an error it is still the caller's.
 * timeout_ns bounds how long a call waits for an answer to go on; retry_ns is the time
 * after which a datagram is sent again.
 * Errors: EMFILE (fd is beyond libtirpc's tables), ENOMEM, and of getpeername(2).
 */
int unp_sunrpc_client_new(int fd, rpcprog_t program, rpcvers_t version, int64_t timeout_ns,
			  int64_t retry_ns, CLIENT **client);
void unp_sunrpc_client_free(CLIENT *client);

/*
 * From any thread: ends the call that client, over fd, has in progress. The handle is of
 * no use afterwards.
 */
void unp_sunrpc_client_interrupt(int fd);

/* Whether the other end has closed the connection, or sent what nobody asked for. */
int unp_sunrpc_client_stale(int fd);

/* Procedure 0, which every program has. */
enum clnt_stat unp_sunrpc_null(CLIENT *client);

/* What clnt_geterr(3) tells about a call that failed, the members that status makes valid. */
struct unp_sunrpc_failure {
	int error;	    /* errno */
	int why;	    /* enum auth_stat */
	uint32_t low, high; /* versions */
};
void unp_sunrpc_failure_of(CLIENT *client, enum clnt_stat status, struct unp_sunrpc_failure *failure);

/*
 * AUTH_SYS for this and the next calls: authunix_create, which reports no error.
 * Errors: EINVAL (over 16 groups, a machine name over 255 bytes), ENOMEM.
 */
int unp_sunrpc_auth_sys(CLIENT *client, const char *machine, uid_t uid, gid_t gid, const gid_t *gids,
			size_t count);

/* A flavor that libtirpc does not have. Each function is called during a call, on its thread. */
struct unp_sunrpc_flavor {
	/* Fills in both, whose oa_base is room for MAX_AUTH_BYTES. False: no call is made. */
	int (*marshal)(uintptr_t cookie, struct opaque_auth *cred, struct opaque_auth *verf);
	/* Judges the verifier of an answer. */
	int (*validate)(uintptr_t cookie, struct opaque_auth *verf);
	/* After a refusal: whether to try again, at most twice. */
	int (*refresh)(uintptr_t cookie, enum auth_stat why);
};
/* Errors: ENOMEM. */
int unp_sunrpc_auth_plugged(CLIENT *client, const struct unp_sunrpc_flavor *flavor, uintptr_t cookie);

/*
 * RPCSEC_GSS, with calls that make the context: rpc_gss_seccreate(3). protection is
 * rpc_gss_service_t: 1 authentication alone, 2 integrity, 3 privacy. Errors: EACCES, and why
 * is the text of GSS-API, at most size bytes; ENOTSUP (libtirpc was built without it).
 * libtirpc loses the memory of a context that could not be made.
 */
int unp_sunrpc_auth_gss(CLIENT *client, const char *principal, const char *mechanism, int protection,
			char *why, size_t size);

#endif
