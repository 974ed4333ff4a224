/* conn.h - one connection of a server, and what its files share. */
#ifndef CONN_H
#define CONN_H

#include "unp_sunrpc_server.h"

#include <rpc/svc_mt.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <time.h>

#define MARK 4	 /* bytes of a record mark: RFC 5531, section 11 */
#define ROOM 8192 /* in each buffer at first: most messages are shorter */
#define KEEP 131072 /* a larger buffer is given back when it is empty */

/* Bytes [start, end) are in use. */
struct buffer {
	char *bytes;
	size_t size, start, end;
};

struct unp_sunrpc_conn {
	SVCXPRT transport; /* xp_p1 points back here, xp_p3 to ext */
	SVCXPRT_EXT ext;
	const struct unp_sunrpc_server *server;
	void *cookie;
	int fd;
	atomic_bool stopping;

	struct buffer in, out;
	size_t max_reply;
	XDR args;	    /* over the message that is being answered */
	uint32_t xid;
	bool answered;	    /* one reply a call */
	int error;	    /* of the reply: the connection is of no use */
	char verifier[MAX_AUTH_BYTES];

	bool gss; /* has been used, so that libtirpc knows the transport's address */
	struct unp_sunrpc_conn *next; /* of those that are dead */
	time_t died;

	bool datagram;
	struct msghdr header; /* of the last datagram: where the reply goes */
	struct sockaddr_storage peer;
	char control[CMSG_SPACE(64)];
};

/* Makes room for size bytes in all, moving those in use to the front. ENOMEM. */
int unp_sunrpc_reserve(struct buffer *buffer, size_t size);

/* Gives a large buffer back that has nothing in use. */
void unp_sunrpc_shrink(struct buffer *buffer);

/* Answers one message. EBADMSG if it is no call, and the errno of sending the reply. */
int unp_sunrpc_answer(struct unp_sunrpc_conn *conn, char *message, size_t length);

/* Sends out.bytes[MARK, MARK + length), over a stream with the mark before. */
int unp_sunrpc_send_stream(struct unp_sunrpc_conn *conn, size_t length);
int unp_sunrpc_send_datagram(struct unp_sunrpc_conn *conn, size_t length);

extern const struct xp_ops unp_sunrpc_ops;
extern const struct xp_ops2 unp_sunrpc_ops2;

#endif
