/*
 * What pool_manager and worker share: a counting semaphore, a robust mutex and, under the
 * mutex, who holds what. The table is the truth; the semaphore only says when to look.
 */
#ifndef POOL_H
#define POOL_H

#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../internal/alive/ref/alive.h"
#include "layout.h"
#include "program.h"

#define DEFAULT_NAME "/connection_pool"
#define LOCK_PATIENCE (10 * SECOND) /* who has the lock has it for microseconds */
#define LOCK_SLICE (SECOND / 20)

static const char *name = DEFAULT_NAME;
static struct pool *pool;

/* A name for shm_open: one slash, at the beginning. */
static inline const char *pool_name(const char *text)
{
	if (text[0] != '/' || !text[1] || strchr(text + 1, '/') || strlen(text) > 255)
		bad_usage("--name must begin with a slash and have no other, not \"%s\"", text);
	return text;
}

/*
 * Brings in order what follows from the entries. To be called with the lock: after its
 * owner died, when the pool is taken over, and at every look of the manager.
 */
static inline void repair(void)
{
	pool->free = pool->slots;
	pool->waiting = 0;
	for (uint32_t k = 0; k < pool->slots; k++)
		pool->slot[k].holder = 0;
	for (uint32_t i = 0; i < ENTRIES; i++) {
		struct entry *e = &pool->table[i];
		if (e->state == WAITING || e->state == GRANTED) {
			pool->waiting++;
		} else if (e->state == HOLDING && e->slot < pool->slots && !pool->slot[e->slot].holder) {
			pool->slot[e->slot].holder = i + 1;
			pool->free--;
		} else if (e->state != IDLE) {
			e->state = UNUSED;
		}
	}
}

/*
 * Locks the pool. False if somebody keeps it locked; else it works, or ends the program.
 * Who is killed just as an unlock has woken it takes that wake-up with it, and the next one
 * sleeps on beside a free lock. So each sleep is short.
 */
static inline bool try_lock(void)
{
	int error = pthread_mutex_trylock(&pool->lock);
	for (uint64_t patience = 0; error == EBUSY || error == ETIMEDOUT;) {
		uint64_t t = now_ns();
		patience = patience ? patience : t + LOCK_PATIENCE;
		if (t >= patience)
			break;
		struct timespec slice = at(t + LOCK_SLICE);
		error = pthread_mutex_clocklock(&pool->lock, CLOCK_MONOTONIC, &slice);
	}
	if (error == EOWNERDEAD) {
		repair();
		pthread_mutex_consistent(&pool->lock);
	} else if (error == ETIMEDOUT) {
		return false;
	} else if (error) {
		die("pool %s: lock: %s", name, strerror(error));
	}
	return true;
}

static inline void lock(void)
{
	if (!try_lock())
		die("pool %s: somebody has kept it locked for %.0f s", name, seconds(LOCK_PATIENCE));
}

static inline void unlock(void)
{
	pthread_mutex_unlock(&pool->lock);
}

/* Takes the slot from its holder. With the lock. */
static inline void vacate(struct entry *e)
{
	e->state = IDLE;
	if (e->slot < pool->slots && pool->slot[e->slot].holder == e - pool->table + 1) {
		pool->slot[e->slot].holder = 0;
		pool->free++;
	}
}

/* Opens and maps a pool that is there. Returns why it cannot, NULL if it can. */
static inline const char *attach(void)
{
	struct stat st;
	int fd = shm_open(name, O_RDWR, 0);
	if (fd < 0)
		return strerror(errno);
	if (fstat(fd, &st) != 0 || st.st_uid != geteuid()) {
		close(fd);
		return "another user's";
	}
	if (st.st_size < 64 || st.st_size > 1 << 30) {
		close(fd);
		return "not a connection pool";
	}
	pool = mmap(NULL, st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (pool == MAP_FAILED)
		return strerror(errno);
	const char *why = unfit(pool, st.st_size);
	if (why)
		munmap(pool, st.st_size);
	return why;
}

#endif
