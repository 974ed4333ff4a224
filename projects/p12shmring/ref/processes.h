/* Two processes of the benchmark, and what they share. */
#ifndef PROCESSES_H
#define PROCESSES_H

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "../../internal/measure/ref/place.h"
#include "traffic.h"

static uint64_t capacity = 1 << 20, size = 1024;

/* What the processes share: two rings, and what was found. */
static struct shared {
	uint64_t count, warmup, ns;
	uint32_t histogram[HISTOGRAM_SIZE];
} *shared;
static struct ring *rings[2];
static int fds[2]; /* of the pipe or the socket: reading, writing */

/* The processes end with the one that started them, which sees how each ended. */
static bool never(void) { return false; }

static void *map_shared(size_t bytes)
{
	char name[64];
	void *p;
	int fd, err;

	snprintf(name, sizeof(name), "/unpipc-%d-ring-0", getpid());
	shm_unlink(name); /* of a dead process with this number */
	fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		die("shm_open %s: %s", name, strerror(errno));
	shm_unlink(name); /* the mapping stays, for the children too */
	err = posix_fallocate(fd, 0, bytes);
	if (err)
		die("posix_fallocate %s: %s", name, strerror(err));
	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		die("mmap %s: %s", name, strerror(errno));
	close(fd);
	return p;
}

static void run(uint64_t count, uint64_t warmup, void (*a)(void), void (*b)(void))
{
	void (*const both[])(void) = {a, b};
	pid_t self = getpid();
	int status, left = 2;

	memset(shared, 0, sizeof(*shared));
	shared->count = count;
	shared->warmup = warmup;
	for (int i = 0; i < 2; i++) {
		memset(rings[i], 0, sizeof(*rings[i]));
		ring_create(rings[i], capacity);
	}
	for (int i = 0; i < 2; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork: %s", strerror(errno));
		if (pid)
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != self)
			_exit(1);
		keep_to_cpu(i);
		both[i]();
		_exit(0);
	}
	if (fds[0]) {
		close(fds[0]);
		close(fds[1]);
	}
	/* A child that failed has said why; the other one ends with this process. */
	while (left-- && wait(&status) > 0)
		if (status)
			exit(1);
}

#endif
