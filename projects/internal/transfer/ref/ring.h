/* A ring of slots in shared memory for each direction; ring.go has the layout. */
#ifndef RING_H
#define RING_H

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "verify.h"

#define SLOT_HEADER 8

struct ring_memory {
	uint32_t slots, room;
	_Alignas(128) sem_t full;
	_Alignas(128) sem_t empty;
	_Alignas(128) unsigned char slot[];
};

static struct ring {
	struct ring_memory *memory;
	uint32_t next; /* nobody else's business: there is one process at each end */
} ring_in, ring_out;

static size_t slot_size(size_t room)
{
	return (SLOT_HEADER + room + 63) & ~(size_t)63;
}

static struct ring ring_open(const char *name)
{
	int fd = shm_open(name, O_RDWR, 0);
	struct ring r = {0};
	struct stat st;

	if (fd < 0)
		die("shm_open %s: %s", name, strerror(errno));
	if (fstat(fd, &st) != 0 || st.st_size < (off_t)sizeof(*r.memory))
		die("%s: no ring", name);
	r.memory = mmap(NULL, st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (r.memory == MAP_FAILED)
		die("mmap %s: %s", name, strerror(errno));
	close(fd);
	if (r.memory->slots < 1 ||
	    (size_t)st.st_size != sizeof(*r.memory) + r.memory->slots * slot_size(r.memory->room))
		die("%s: no ring of %u slots for %u bytes", name, r.memory->slots, r.memory->room);
	return r;
}

static void ring_open_in(const char *name) { ring_in = ring_open(name); }
static void ring_open_out(const char *name) { ring_out = ring_open(name); }

static unsigned char *ring_slot(struct ring *r)
{
	unsigned char *s = r->memory->slot + r->next * slot_size(r->memory->room);

	r->next = r->next + 1 == r->memory->slots ? 0 : r->next + 1;
	return s;
}

static void sem_take(sem_t *sem)
{
	while (sem_wait(sem) != 0)
		if (errno != EINTR)
			die("sem_wait: %s", strerror(errno));
}

static ssize_t ring_put(const void *p, size_t n)
{
	uint32_t length = n;
	unsigned char *s;

	if (n > ring_out.memory->room)
		die("a message of %zu bytes for a slot of %u", n, ring_out.memory->room);
	sem_take(&ring_out.memory->empty);
	s = ring_slot(&ring_out);
	memcpy(s, &length, 4);
	memcpy(s + SLOT_HEADER, p, n);
	return sem_post(&ring_out.memory->full) == 0 ? (ssize_t)n : -1;
}

static ssize_t ring_get(void *p, size_t n)
{
	unsigned char *s;
	uint32_t length;

	sem_take(&ring_in.memory->full);
	s = ring_slot(&ring_in);
	memcpy(&length, s, 4);
	if (length > ring_in.memory->room)
		die("a message of %u bytes in a slot of %u", length, ring_in.memory->room);
	if (length > n)
		length = n;
	memcpy(p, s + SLOT_HEADER, length);
	return sem_post(&ring_in.memory->empty) == 0 ? (ssize_t)length : -1;
}

#endif
