/* Messages in datagrams. */
#include "conn.h"

#include <netinet/in.h>
#include <string.h>

#define LARGEST 65536 /* no datagram is larger */

/*
 * A reply leaves from the address that the call was sent to: the control message that
 * says which goes back as it came, without the interface.
 */
static void keep_address(struct msghdr *header)
{
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(header);

	if (cmsg != NULL && cmsg->cmsg_level == IPPROTO_IP && cmsg->cmsg_type == IP_PKTINFO)
		((struct in_pktinfo *)CMSG_DATA(cmsg))->ipi_ifindex = 0;
	else if (cmsg != NULL && cmsg->cmsg_level == IPPROTO_IPV6 && cmsg->cmsg_type == IPV6_PKTINFO)
		((struct in6_pktinfo *)CMSG_DATA(cmsg))->ipi6_ifindex = 0;
	else
		header->msg_controllen = 0;
}

int unp_sunrpc_serve_datagrams(struct unp_sunrpc_conn *c)
{
	int on = 1, err = unp_sunrpc_reserve(&c->in, LARGEST);

	if (err != 0)
		return err;
	/* One of the two is not for this family. */
	(void)setsockopt(c->fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
	(void)setsockopt(c->fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
	while (!atomic_load(&c->stopping)) {
		struct iovec iov = {.iov_base = c->in.bytes, .iov_len = c->in.size};
		c->header = (struct msghdr){
			.msg_name = &c->peer,
			.msg_namelen = sizeof c->peer,
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = c->control,
			.msg_controllen = sizeof c->control,
		};
		ssize_t n = recvmsg(c->fd, &c->header, 0);
		/* Others' ICMP errors are reported here too: nothing to do with the next message. */
		if (n < 0 && (errno == EBADF || errno == ENOTSOCK || errno == EINVAL || errno == ENOMEM))
			return errno;
		if (n <= 0)
			continue;
		keep_address(&c->header);
		(void)unp_sunrpc_answer(c, c->in.bytes, n);
	}
	return 0;
}

/* What cannot be sent is as if it had been lost on the way: no error. */
int unp_sunrpc_send_datagram(struct unp_sunrpc_conn *c, size_t length)
{
	struct iovec iov = {.iov_base = c->out.bytes + MARK, .iov_len = length};

	c->header.msg_iov = &iov;
	c->header.msg_iovlen = 1;
	(void)sendmsg(c->fd, &c->header, MSG_NOSIGNAL);
	return 0;
}
