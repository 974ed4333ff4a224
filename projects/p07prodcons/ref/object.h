/*
 * The shared memory of a run: a POSIX shared memory object with a lock on it (flock) that
 * its owner holds as long as it lives. An object whose lock is free is a dead run's.
 */
#ifndef OBJECT_H
#define OBJECT_H

#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "buffer.h"

static inline void nap(long ns)
{
	nanosleep(&(struct timespec){ ns / SECOND, ns % SECOND }, NULL);
}

static inline bool owner_lives(int fd)
{
	if (flock(fd, LOCK_SH | LOCK_NB) != 0)
		return true;
	flock(fd, LOCK_UN);
	return false;
}

/* Whether the name still means what is open as fd. */
static inline bool is_named(int fd, const char *name)
{
	struct stat open, named;
	int other = shm_open(name, O_RDONLY, 0);
	bool same = other != -1 && fstat(fd, &open) == 0 && fstat(other, &named) == 0 && open.st_ino == named.st_ino;

	if (other != -1)
		close(other);
	return same;
}

/* Whether the object is a run's, or one that is not finished: it begins with zeros then. */
static inline bool is_runs(int fd)
{
	char first[8] = "";
	ssize_t n = pread(fd, first, sizeof(first), 0);

	return n == 0 || (n > 0 && (memcmp(first, "\0\0\0\0\0\0\0", 8) == 0 || memcmp(first, MAGIC, 8) == 0));
}

/*
 * A new object, locked, in place of one that a dead run left. EEXIST: one that lives has
 * it, or it is something else.
 */
static inline int create_object(const char *name, int *fd)
{
	for (;;) {
		*fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
		bool made = *fd != -1;
		if (!made && errno == EEXIST)
			*fd = shm_open(name, O_RDWR, 0);
		if (*fd == -1 && errno == ENOENT)
			continue;
		if (*fd == -1)
			return errno;
		if (flock(*fd, made ? LOCK_EX : LOCK_EX | LOCK_NB) != 0 || !is_runs(*fd)) {
			close(*fd);
			return EEXIST;
		}
		if (is_named(*fd, name)) {
			if (made)
				return 0;
			shm_unlink(name);
		}
		close(*fd);
	}
}

static inline struct buffer *map(int fd, size_t size)
{
	struct buffer *b = mmap(NULL, size, PROT_READ | PROT_WRITE,
				fd == -1 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED, fd, 0);

	return b == MAP_FAILED ? NULL : b;
}

/* The buffer of a run that has begun or will; waits for it as long as patience seconds. */
static inline struct buffer *attach(const char *name, int *fd, int patience)
{
	for (int left = patience * 100; left >= 0; left--, nap(SECOND / 100)) {
		struct stat st;
		*fd = shm_open(name, O_RDWR, 0);
		if (*fd == -1 && errno != ENOENT)
			return NULL;
		if (*fd == -1)
			continue;
		if (fstat(*fd, &st) == 0 && st.st_size >= (off_t)sizeof(struct buffer) && owner_lives(*fd)) {
			struct buffer *b = map(*fd, (size_t)st.st_size);
			if (b == NULL)
				return NULL;
			uint64_t magic = atomic_load((_Atomic uint64_t *)b->magic);
			if (memcmp(&magic, MAGIC, 8) == 0)
				return b;
			munmap(b, (size_t)st.st_size);
		}
		close(*fd);
	}
	errno = ENOENT;
	return NULL;
}

/* The monitor, with everything 0 but what is given. */
static inline int init_buffer(struct buffer *b, enum variant variant, int capacity, int64_t items, bool shared)
{
	pthread_mutexattr_t m;
	pthread_condattr_t c;

	b->variant = (int32_t)variant;
	b->capacity = capacity;
	b->items = items;
	b->owner = getpid();
	b->shared = shared;
	pthread_mutexattr_init(&m);
	pthread_condattr_init(&c);
	if (shared) {
		pthread_mutexattr_setpshared(&m, PTHREAD_PROCESS_SHARED);
		pthread_mutexattr_setrobust(&m, PTHREAD_MUTEX_ROBUST);
		pthread_condattr_setpshared(&c, PTHREAD_PROCESS_SHARED);
	}
	int error = pthread_mutex_init(&b->mutex, &m);
	for (int i = 0; i < 4 && error == 0; i++)
		error = pthread_cond_init(&b->cond[i].c, &c);
	pthread_mutexattr_destroy(&m);
	pthread_condattr_destroy(&c);
	return error;
}

/* What a process does that takes part in another's run. A part without b has not joined yet. */
struct watch {
	struct buffer *b;
	struct part *part;
	int parts, owner;	/* pidfd */
	const char *program, *name;
};

/*
 * Ends this process with the owner's if that has not waited for its members. A thread may
 * hang for ever in the mutex or a condition that a killed process has left in disorder.
 */
static inline void *watch_owner(void *arg)
{
	struct watch *w = arg;
	struct pollfd ended = { .fd = w->owner, .events = POLLIN };

	while (poll(&ended, 1, -1) < 0)
		;
	for (int i = 0; i < w->parts; i++)
		if (w->part[i].b == NULL || w->part[i].me == -1 || !w->b->member[w->part[i].me].gone) {
			fprintf(stderr, "%s: %s: %s\n", w->program, w->name, w->b->stop == DIED ?
				"another member of the run died" : "the process that began the run is dead");
			_exit(1);
		}
	return NULL;
}

/* Begins to watch; ESRCH if the owner is dead. part must outlive main. */
static inline int watch(struct watch watch, int fd)
{
	static struct watch kept; /* the thread may still look when main has returned */
	struct watch *w = &kept;
	pthread_t thread;

	kept = watch;
	w->owner = (int)syscall(SYS_pidfd_open, w->b->owner, 0);
	if (w->owner == -1)
		return errno;
	/* Only now is it certain whose number that is. */
	if (!owner_lives(fd))
		return ESRCH;
	return pthread_create(&thread, NULL, watch_owner, w);
}

/* From now on others may join. */
static inline void publish(struct buffer *b)
{
	uint64_t magic;

	memcpy(&magic, MAGIC, 8);
	atomic_store((_Atomic uint64_t *)b->magic, magic);
}

#endif
