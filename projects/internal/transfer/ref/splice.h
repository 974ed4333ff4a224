/* A pipe that is given pages: splice.go says why there are so many of them. */
#ifndef SPLICE_H
#define SPLICE_H

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "verify.h"

static int splice_fd = -1;
static unsigned char *splice_memory;
static size_t splice_room, splice_rooms, splice_next;

static void splice_open(int fd)
{
	size_t page = sysconf(_SC_PAGESIZE);
	int held = fcntl(fd, F_GETPIPE_SZ);

	if (held < 0)
		die("fcntl: %s", strerror(errno));
	splice_fd = fd;
	splice_rooms = held / page + 1;
	splice_room = ((size > 4 ? size : 4) + page) & ~(page - 1);
	splice_memory = mmap(NULL, splice_rooms * splice_room, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (splice_memory == MAP_FAILED)
		die("mmap: %s", strerror(errno));
}

/* Where to build message seq, so that splice_put need not copy it; it has the bytes of m. */
static unsigned char *splice_stage(const unsigned char *m, uint64_t seq)
{
	unsigned char *room = splice_memory + splice_next * splice_room;

	if (seq <= splice_rooms)
		memcpy(room, m, size);
	return room;
}

static ssize_t splice_put(const void *p, size_t n)
{
	unsigned char *room = splice_memory + splice_next * splice_room;
	struct iovec left = {.iov_base = room, .iov_len = n};

	if (p != room)
		memcpy(room, p, n);
	splice_next = splice_next + 1 == splice_rooms ? 0 : splice_next + 1;
	while (left.iov_len > 0) {
		ssize_t done = vmsplice(splice_fd, &left, 1, 0);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -1;
		left.iov_base = (char *)left.iov_base + done;
		left.iov_len -= done;
	}
	return n;
}

#endif
