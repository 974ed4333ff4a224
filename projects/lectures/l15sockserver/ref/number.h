/* Numbers of 4 bytes over a stream. */
#ifndef NUMBER_H
#define NUMBER_H

#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "../../../internal/lecture/ref/lecture.h"

/* 1, or 0 if the other end is closed; its bytes may come one by one. */
static inline int receive_number(int sock, int32_t *number)
{
	ssize_t n = recv(sock, number, sizeof *number, MSG_WAITALL);

	if (n == -1 && errno != ECONNRESET)
		die("recv: %s", strerror(errno));
	return n == sizeof *number;
}

static inline int send_number(int sock, int32_t number)
{
	ssize_t n = send(sock, &number, sizeof number, MSG_NOSIGNAL);

	if (n == -1 && errno != EPIPE && errno != ECONNRESET)
		die("send: %s", strerror(errno));
	return n == sizeof number;
}

static inline struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof address.sun_path)
		die("%s: %s", path, strerror(ENAMETOOLONG));
	strcpy(address.sun_path, path);
	return address;
}

#endif
