/* Where the server is: an address of the Internet, or a path. */
#ifndef PLACE_H
#define PLACE_H

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "../../cli/ref/cli.h"

static const char *network = "tcp";

struct place {
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_un un;
	};
	socklen_t size;
};

static struct place place_of(const char *addr)
{
	struct place p = {.un = {.sun_family = AF_UNIX}, .size = sizeof(p.un)};
	const char *colon = strrchr(addr, ':');
	char host[64] = "";

	if (strcmp(network, "unix") == 0) {
		if (strlen(addr) >= sizeof(p.un.sun_path))
			bad_usage("--addr: longer than %zu bytes", sizeof(p.un.sun_path) - 1);
		strcpy(p.un.sun_path, addr);
		return p;
	}
	p = (struct place){.in = {.sin_family = AF_INET}, .size = sizeof(p.in)};
	if (colon && (size_t)(colon - addr) < sizeof(host))
		memcpy(host, addr, colon - addr);
	if (!inet_aton(host, &p.in.sin_addr))
		bad_usage("--addr: %s is no address such as 127.0.0.1:5001", addr);
	p.in.sin_port = htons((uint16_t)atoi(colon + 1));
	return p;
}

/* A socket for the network. */
static int open_socket(const struct place *p)
{
	int on = 1, fd = socket(p->any.sa_family, strcmp(network, "udp") ? SOCK_STREAM : SOCK_DGRAM, 0);

	if (fd < 0)
		die("socket: %s", strerror(errno));
	if (strcmp(network, "tcp") == 0)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

#endif
