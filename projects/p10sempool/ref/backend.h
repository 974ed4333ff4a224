/* Connections to the server behind the pool, and their way to a worker: SCM_RIGHTS. */
#ifndef BACKEND_H
#define BACKEND_H

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "pool.h"

/* What a connect or an answer to --ping may take: deaths are to be noticed meanwhile. */
#define BACKEND_PATIENCE_US 400000

struct request {
	char magic[8]; /* LEND */
	uint32_t entry, slot;
	uint64_t serial;
};

struct answer {
	uint32_t status; /* 0: with the connection's descriptor; else text says why not */
	uint32_t slot;
	char text[120];
};

#define LEND "UNPLEND"

static const char *backend; /* --connect; NULL: the pool has slots only */
static const char *ping;    /* --ping */
static struct sockaddr_un backend_path;
static struct addrinfo backend_unix = {.ai_family = AF_UNIX, .ai_socktype = SOCK_STREAM,
	.ai_addr = (struct sockaddr *)&backend_path, .ai_addrlen = sizeof backend_path};
static struct addrinfo *addresses;

/* Reads --connect and looks the address up. */
static inline void resolve(void)
{
	static char host[256];
	const char *rest = backend + 6, *colon = strrchr(backend, ':');
	if (!strncmp(backend, "unix://", 7)) {
		rest = backend + 7;
		if (*rest != '/' || strlen(rest) >= sizeof backend_path.sun_path)
			bad_usage("--connect: unix:// is followed by an absolute path of at most 107 bytes");
		backend_path.sun_family = AF_UNIX;
		strcpy(backend_path.sun_path, rest);
		addresses = &backend_unix;
		return;
	}
	if (strncmp(backend, "tcp://", 6) || colon < rest + 1 || !colon[1] || colon - rest >= (long)sizeof host)
		bad_usage("--connect is tcp://HOST:PORT or unix:///PATH, not \"%s\"", backend);
	number("the port of --connect", colon + 1, 1, 65535);
	memcpy(host, rest, colon - rest);
	size_t len = strlen(host);
	if (host[0] == '[' && host[len - 1] == ']') {
		host[len - 1] = '\0';
		memmove(host, host + 1, len - 1);
	}
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	int error = getaddrinfo(host, colon + 1, &hints, &addresses);
	if (error)
		die("%s: %s", backend, gai_strerror(error));
}

static inline void limit(int fd, suseconds_t us)
{
	struct timeval tv = {.tv_usec = us};
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv); /* connect(2) obeys it too */
}

/* Opens a connection; -1 with errno. */
static inline int dial(void)
{
	int error = ENOENT;
	for (struct addrinfo *a = addresses; a; a = a->ai_next) {
		int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd < 0)
			return -1;
		limit(fd, BACKEND_PATIENCE_US);
		if (connect(fd, a->ai_addr, a->ai_addrlen) == 0) {
			limit(fd, 0);
			return fd;
		}
		error = errno == EINPROGRESS || errno == EAGAIN ? ETIMEDOUT : errno;
		close(fd);
	}
	errno = error;
	return -1;
}

/* Sends the line of --ping and reads a line. */
static inline const char *answers(int fd)
{
	char line[512];
	size_t len = snprintf(line, sizeof line, "%s\r\n", ping);
	if (send(fd, line, len, MSG_NOSIGNAL) != (ssize_t)len)
		return strerror(errno);
	for (len = 0; len < sizeof line; len++) {
		ssize_t n = recv(fd, line + len, 1, 0);
		if (n == 0)
			return "closed by the server";
		if (n < 0)
			return errno == EAGAIN ? "no answer to --ping" : strerror(errno);
		if (line[len] == '\n')
			return NULL;
	}
	return "no line in answer to --ping";
}

/* Why a connection cannot be lent, NULL if it can. */
static inline const char *broken(int fd)
{
	char byte;
	ssize_t n = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	if (n == 0)
		return "closed by the server";
	if (n > 0)
		return "unread data in it";
	if (errno != EAGAIN)
		return strerror(errno);
	if (!ping)
		return NULL;
	limit(fd, BACKEND_PATIENCE_US);
	const char *why = answers(fd);
	limit(fd, 0);
	return why;
}

/* Closes a connection for all who have it. */
static inline void drop(int fd)
{
	shutdown(fd, SHUT_RDWR);
	close(fd);
}

union rights {
	struct cmsghdr header;
	char space[CMSG_SPACE(sizeof(int))];
};

/* Sends the answer, with the descriptor if it is not -1. */
static inline bool send_answer(int to, struct answer *a, int fd)
{
	union rights rights = {0};
	struct iovec part = {a, sizeof *a};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
	if (fd >= 0) {
		m.msg_control = &rights;
		m.msg_controllen = sizeof rights;
		rights.header = (struct cmsghdr){CMSG_LEN(sizeof fd), SOL_SOCKET, SCM_RIGHTS};
		memcpy(CMSG_DATA(&rights.header), &fd, sizeof fd);
	}
	return sendmsg(to, &m, MSG_NOSIGNAL | MSG_DONTWAIT) == sizeof *a;
}

/* Receives an answer; *fd is the descriptor, -1 if none came. Returns the length, as read(2). */
static inline ssize_t receive_answer(int from, struct answer *a, int *fd)
{
	union rights rights;
	struct iovec part = {a, sizeof *a};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1,
		.msg_control = &rights, .msg_controllen = sizeof rights};
	ssize_t n = recvmsg(from, &m, MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;
	*fd = -1;
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof *fd))
		memcpy(fd, CMSG_DATA(c), sizeof *fd);
	return n;
}

/* Who is at the other end. */
static inline bool same_user(int fd, pid_t *pid)
{
	struct ucred cred;
	socklen_t len = sizeof cred;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0)
		return false;
	*pid = cred.pid;
	return cred.uid == geteuid();
}

#endif
