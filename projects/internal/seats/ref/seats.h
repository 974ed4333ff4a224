/*
 * Two processes meet at a named shared memory object, as package seats has it: each
 * locks the byte that stands for its seat, and the kernel frees the seat of one that is
 * gone.
 */
#ifndef SEATS_H
#define SEATS_H

#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../cli/ref/cli.h"
#include "../../measure/ref/clock.h"

enum seat { MAKER, GUEST, REMOVER };

struct end_of {
	const char *name;
	void *memory;
	size_t size;
	int fd;
	enum seat seat;
	bool seen; /* the other one */
};

static inline void seat_fail(struct end_of *e, const char *call)
{
	die("%s %s: %s", call, e->name, strerror(errno));
}

static inline struct flock seat_byte(enum seat s)
{
	return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = s, .l_len = 1};
}

static inline bool seat_try(struct end_of *e, enum seat s)
{
	struct flock lock = seat_byte(s);

	if (fcntl(e->fd, F_OFD_SETLK, &lock) == 0)
		return true;
	if (errno != EAGAIN)
		seat_fail(e, "fcntl");
	return false;
}

static inline void seat_take(struct end_of *e, enum seat s)
{
	e->seat = s;
	if (!seat_try(e, s))
		die("%s: the seat is taken", e->name);
}

static inline bool seat_taken(struct end_of *e, enum seat s)
{
	struct flock lock = seat_byte(s);

	if (fcntl(e->fd, F_OFD_GETLK, &lock))
		seat_fail(e, "fcntl");
	return lock.l_type != F_UNLCK;
}

static inline bool peer_there(struct end_of *e)
{
	bool there = seat_taken(e, e->seat == MAKER ? GUEST : MAKER);

	e->seen |= there;
	return there;
}

static inline bool peer_gone(struct end_of *e)
{
	return !peer_there(e) && e->seen;
}

/* Whether the name still stands for the object that is open. */
static inline bool is_named(struct end_of *e)
{
	struct stat ours, theirs;
	int fd = shm_open(e->name, O_RDONLY, 0);
	bool same;

	if (fd < 0)
		return false;
	same = fstat(e->fd, &ours) == 0 && fstat(fd, &theirs) == 0 &&
	       ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
	close(fd);
	return same;
}

/*
 * Removes the name, if it still stands for this object. One at a time: between looking
 * and removing the name must not change its meaning.
 */
static inline void remove_name(struct end_of *e)
{
	struct flock lock = seat_byte(REMOVER);

	while (fcntl(e->fd, F_OFD_SETLKW, &lock))
		if (errno != EINTR)
			seat_fail(e, "fcntl");
	if (is_named(e) && shm_unlink(e->name))
		seat_fail(e, "shm_unlink");
	lock.l_type = F_UNLCK;
	fcntl(e->fd, F_OFD_SETLK, &lock);
}

static inline void seat_nap(struct end_of *e, uint64_t deadline)
{
	struct timespec ms = {.tv_nsec = 1000 * 1000};

	if (now_ns() > deadline) {
		if (e->seat == MAKER)
			remove_name(e);
		die("%s: nobody came", e->name);
	}
	nanosleep(&ms, NULL);
}

static inline void seat_map(struct end_of *e)
{
	e->memory = mmap(NULL, e->size, PROT_READ | PROT_WRITE, MAP_SHARED, e->fd, 0);
	if (e->memory == MAP_FAILED)
		seat_fail(e, "mmap");
}

static inline size_t object_size(struct end_of *e)
{
	struct stat st;

	if (fstat(e->fd, &st))
		seat_fail(e, "fstat");
	return st.st_size;
}

/* Makes an object of so many bytes, all zero, and takes the maker's seat. */
static inline void seat_make(struct end_of *e, const char *name, size_t size)
{
	int err;

	*e = (struct end_of){.name = name, .size = size};
	for (;; close(e->fd)) {
		e->fd = shm_open(name, O_RDWR | O_CREAT, 0600);
		if (e->fd < 0)
			seat_fail(e, "shm_open");
		if (object_size(e)) {
			/* Only looked at: a guest would take who sits there for the maker. */
			if (seat_taken(e, MAKER))
				die("%s: the seat is taken", name);
			remove_name(e);
			continue;
		}
		seat_take(e, MAKER);
		if (is_named(e) && object_size(e) == 0)
			break;
	}
	err = posix_fallocate(e->fd, 0, size);
	if (err) {
		remove_name(e);
		errno = err;
		seat_fail(e, "posix_fallocate");
	}
	seat_map(e);
}

/* Waits for the guest, who removes the name when he comes, and may be gone again. */
static inline void seat_await(struct end_of *e, uint64_t deadline)
{
	while (is_named(e)) {
		if (peer_there(e))
			return;
		seat_nap(e, deadline);
	}
	e->seen = true;
}

/*
 * Waits for the object and its maker, takes the guest's seat and removes the name.
 * check says what is wrong with the memory: NULL, nothing; "", it is not ready yet.
 */
static inline void seat_join(struct end_of *e, const char *name, uint64_t deadline,
			     const char *(*check)(void *memory, size_t size))
{
	const char *wrong;

	*e = (struct end_of){.name = name, .seat = GUEST};
	for (;; seat_nap(e, deadline)) {
		e->fd = shm_open(name, O_RDWR, 0);
		if (e->fd < 0 && errno != ENOENT)
			seat_fail(e, "shm_open");
		if (e->fd < 0)
			continue;
		e->size = object_size(e);
		if (e->size && peer_there(e)) {
			seat_map(e);
			wrong = check(e->memory, e->size);
			if (!wrong)
				break;
			if (*wrong)
				die("%s: %s", name, wrong);
			munmap(e->memory, e->size);
		}
		close(e->fd);
	}
	seat_take(e, GUEST);
	remove_name(e);
}

#endif
