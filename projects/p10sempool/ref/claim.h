/* How a manager gets its pool: one manager at a time, whatever the last one left. */
#ifndef CLAIM_H
#define CLAIM_H

#include "pool.h"

/* Whether a living worker has a place in the pool. */
static inline bool inhabited(void)
{
	for (uint32_t i = 0; i < ENTRIES; i++) {
		const struct entry *e = &pool->table[i];
		if (e->state != UNUSED && is_process(e->pid, e->started))
			return true;
	}
	return false;
}

/* Ends a pool: who waits, or comes, is told. */
static inline void close_pool(void)
{
	lock();
	pool->closed = 1;
	for (uint32_t i = 0; i < pool->waiting && i < ENTRIES; i++)
		sem_post(&pool->available);
	unlock();
	shm_unlink(name);
}

static inline void map(int fd, size_t size)
{
	pool = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (pool == MAP_FAILED)
		die("pool %s: mmap: %s", name, strerror(errno));
}

/* Fills in a new object. It has its magic only when all else is in place. */
static inline void make(int fd, uint32_t slots, bool lends)
{
	fchmod(fd, 0600); /* whatever the umask */
	int error = pwrite(fd, MAKING, 8, 0) == 8 ? posix_fallocate(fd, 0, sizeof *pool) : errno;
	if (error) {
		shm_unlink(name);
		die("pool %s: allocate %zu bytes: %s", name, sizeof *pool, strerror(error));
	}
	map(fd, sizeof *pool);
	memset((char *)pool + 8, 0, sizeof *pool - 8);
	pool->version = VERSION;
	pool->slots = pool->free = slots;
	pool->entries = ENTRIES;
	pool->sem_size = sizeof pool->available;
	pool->mutex_size = sizeof pool->lock;
	pool->lends = lends;
	pool->size = sizeof *pool;
	pool->checksum = checksum(pool);
	sem_init(&pool->available, 1, slots);
	init_mutex(&pool->lock);
	uint64_t magic;
	memcpy(&magic, MAGIC, sizeof magic);
	__atomic_store_n((uint64_t *)pool->magic, magic, __ATOMIC_RELEASE);
}

/* Whether the manager before this one was killed while it made the object. */
static inline bool half_made(int fd, const struct stat *st)
{
	char magic[8];
	return st->st_size == 0 || (pread(fd, magic, 8, 0) == 8 && !memcmp(magic, MAKING, 8));
}

/*
 * Makes the pool, or takes over the one that workers still use. Returns true if it was
 * taken over. The lock of the object's file, which nobody else takes, is kept for good.
 */
static inline bool claim(uint32_t slots, bool lends, pid_t *before)
{
	uint64_t patience = now_ns() + SECOND;
	for (;;) {
		struct stat st;
		struct flock whole = {.l_type = F_WRLCK};
		int fd = shm_open(name, O_RDWR | O_CREAT, 0600);
		if (fd < 0)
			die("pool %s: %s", name, strerror(errno));
		bool locked = fcntl(fd, F_OFD_SETLK, &whole) == 0;
		fstat(fd, &st); /* after the lock: now nobody unlinks it */
		if (st.st_uid != geteuid())
			die("pool %s: another user's", name);
		if (!locked) {
			if (!attach() && is_process(pool->manager, pool->manager_started))
				die("pool %s: a manager is already running (process %d)", name, pool->manager);
			/* One makes its pool just now, or somebody removes a dead one's. */
			if (now_ns() > patience)
				die("pool %s: somebody has locked it", name);
			close(fd);
			nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
			continue;
		}
		if (st.st_nlink == 0) {
			close(fd);
			continue;
		}
		if (half_made(fd, &st)) {
			make(fd, slots, lends);
			return false;
		}
		if (st.st_size < 64 || st.st_size > 1 << 30)
			die("pool %s: not a connection pool; nothing was changed", name);
		map(fd, st.st_size);
		const char *why = unfit(pool, st.st_size);
		if (why)
			die("pool %s: %s; nothing was changed", name, why);
		if (pool->closed || !inhabited()) {
			/* Without the lock, which may be damaged; who joins just now will see it. */
			pool->closed = 1;
			sem_post(&pool->available);
			shm_unlink(name);
			munmap(pool, st.st_size);
			close(fd);
			continue;
		}
		if (pool->slots != slots || pool->lends != lends)
			die("pool %s: workers still use it as a pool of %u %s", name, pool->slots,
				pool->lends ? "connections that are lent" : "slots");
		lock();
		repair();
		unlock();
		*before = pool->manager;
		return true;
	}
}

#endif
