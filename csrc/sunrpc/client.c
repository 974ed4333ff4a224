#include "unp_sunrpc_client.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

extern int __rpc_dtbsize(void); /* no header names it */

/*
 * Bytes of a stream's buffers. An opaque of 64 KiB, with what belongs to its call, is one
 * fragment then and one write; libtirpc itself would take 64 KiB for TCP and 9,000 bytes for
 * a Unix domain socket, whose reader is woken by each write.
 */
#define STREAM (68 * 1024)

static struct timeval timeval_of(int64_t ns)
{
	return (struct timeval){.tv_sec = ns / 1000000000, .tv_usec = ns % 1000000000 / 1000};
}

int unp_sunrpc_client_new(int fd, rpcprog_t program, rpcvers_t version, int64_t timeout_ns,
			  int64_t retry_ns, CLIENT **client)
{
	struct sockaddr_storage peer = {0};
	socklen_t length = sizeof peer, type_length = sizeof(int);
	int type;

	if (fd >= __rpc_dtbsize())
		return EMFILE;
	if (getpeername(fd, (struct sockaddr *)&peer, &length) != 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_length) != 0)
		return errno;
	struct netbuf addr = {.buf = &peer, .len = length, .maxlen = sizeof peer};
	CLIENT *c = type == SOCK_DGRAM ? clnt_dg_create(fd, &addr, program, version, UDPMSGSIZE, UDPMSGSIZE)
				       : clnt_vc_create(fd, &addr, program, version, STREAM, STREAM);
	if (c == NULL)
		return rpc_createerr.cf_error.re_errno != 0 ? rpc_createerr.cf_error.re_errno : ENOMEM;
	/* From now on, instead of the 25 s of the stubs. */
	struct timeval timeout = timeval_of(timeout_ns), retry = timeval_of(retry_ns);
	clnt_control(c, CLSET_TIMEOUT, (char *)&timeout);
	if (type == SOCK_DGRAM)
		clnt_control(c, CLSET_RETRY_TIMEOUT, (char *)&retry);
	clnt_control(c, CLSET_FD_CLOSE, NULL);
	*client = c;
	return 0;
}

void unp_sunrpc_client_free(CLIENT *client)
{
	auth_destroy(client->cl_auth);
	clnt_destroy(client);
}

/*
 * A stream's sleeper gets the end of the stream. A datagram's takes what it then reads, an
 * empty datagram, for noise, and would go on: its next read is of something that is no
 * socket, and fails.
 */
void unp_sunrpc_client_interrupt(int fd)
{
	int type = SOCK_STREAM, null;
	socklen_t length = sizeof type;

	(void)getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length);
	(void)shutdown(fd, SHUT_RDWR);
	if (type == SOCK_DGRAM && (null = open("/dev/null", O_RDWR | O_CLOEXEC)) >= 0) {
		(void)dup3(null, fd, O_CLOEXEC);
		(void)close(null);
	}
}

int unp_sunrpc_client_stale(int fd)
{
	char byte;
	ssize_t n = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	return n >= 0 || (errno != EAGAIN && errno != EINTR);
}

static bool_t no_value(XDR *xdrs, ...)
{
	(void)xdrs;
	return TRUE;
}

enum clnt_stat unp_sunrpc_null(CLIENT *client)
{
	struct timeval unused = {.tv_sec = 25};

	return clnt_call(client, NULLPROC, no_value, NULL, no_value, NULL, unused);
}

void unp_sunrpc_failure_of(CLIENT *client, enum clnt_stat status, struct unp_sunrpc_failure *failure)
{
	struct rpc_err err = {0};

	*failure = (struct unp_sunrpc_failure){0};
	clnt_geterr(client, &err);
	switch (status) {
	case RPC_CANTSEND:
	case RPC_CANTRECV:
		failure->error = err.re_errno;
		break;
	case RPC_AUTHERROR:
		failure->why = err.re_why;
		break;
	case RPC_VERSMISMATCH:
	case RPC_PROGVERSMISMATCH:
		failure->low = err.re_vers.low;
		failure->high = err.re_vers.high;
		break;
	default:
		break;
	}
}
