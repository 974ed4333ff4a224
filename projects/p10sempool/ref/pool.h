/*
 * What pool_manager and worker share: a counting semaphore, a robust mutex and, under the
 * mutex, who holds what. The table is the truth; the semaphore only says when to look.
 */
#ifndef POOL_H
#define POOL_H

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_NAME "/connection_pool"
#define MAGIC "UNPPOOL"	 /* with its NUL, 8 bytes */
#define MAKING "UNPMAKE" /* a manager is filling it in, or was killed doing so */
#define VERSION 1
#define MAX_SLOTS 1024
#define ENTRIES 1024
#define SECOND 1000000000ull
#define LOCK_PATIENCE (10 * SECOND) /* who has the lock has it for microseconds */
#define LOCK_SLICE (SECOND / 20)

enum state { UNUSED, IDLE, WAITING, GRANTED, HOLDING };

/* A worker. state is written last, so that one who is killed leaves a whole entry. */
struct entry {
	uint32_t state;
	uint32_t slot;	  /* that it holds */
	int32_t pid;
	uint32_t worker;  /* its number on the command line */
	uint64_t started; /* field 22 of /proc/PID/stat */
	uint64_t serial;  /* no other worker of this pool has it */
	uint64_t ticket;  /* the order in which workers began to wait */
	uint64_t since;	  /* CLOCK_MONOTONIC, ns: in this state */
	uint64_t reserved[2];
};

/* A connection, as far as workers know it. */
struct slot {
	uint32_t holder; /* entry + 1; 0: free */
	uint32_t dirty;	 /* its holder died, perhaps in the middle of a request */
	uint64_t uses;
};

struct pool {
	char magic[8];
	uint32_t version, slots, entries, sem_size, mutex_size, lends;
	uint64_t size, checksum; /* of all before it but magic */
	_Alignas(64) sem_t available;
	_Alignas(64) pthread_mutex_t lock;
	/* All below is under the lock. */
	_Alignas(64) int32_t manager;
	uint32_t closed;
	uint64_t manager_started;
	char address[32]; /* of its socket, abstract, without the leading NUL; "" if it lends none */
	uint32_t free, waiting; /* follow from the entries, see repair */
	uint64_t serials, tickets;
	uint64_t lent, released, reclaimed, gave_up, overtaken, longest_wait;
	uint64_t seen, completed, failed, died; /* workers */
	_Alignas(512) struct entry table[ENTRIES];
	struct slot slot[MAX_SLOTS];
};

_Static_assert(offsetof(struct pool, checksum) == 40 && offsetof(struct pool, available) == 64 &&
	offsetof(struct pool, lock) == 128 && offsetof(struct pool, manager) == 192 &&
	offsetof(struct pool, serials) == 248 && offsetof(struct pool, table) == 512 &&
	sizeof(struct entry) == 64 && sizeof(struct pool) == 512 + 64 * ENTRIES + 16 * MAX_SLOTS, "layout");

extern const char program[];
static const char *name = DEFAULT_NAME;
static struct pool *pool;

static inline _Noreturn __attribute__((format(printf, 1, 2))) void die(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fflush(stdout);
	fprintf(stderr, "%s: ", program);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

static inline _Noreturn __attribute__((format(printf, 1, 2))) void bad_usage(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	if (*format) {
		fprintf(stderr, "%s: ", program);
		vfprintf(stderr, format, args);
		fputc('\n', stderr);
	}
	fprintf(stderr, "Try '%s --help'.\n", program);
	va_end(args);
	exit(2);
}

static inline long number(const char *flag, const char *text, long min, long max)
{
	char *end;
	errno = 0;
	long n = strtol(text, &end, 10);
	if (end == text || *end || errno || n < min || n > max)
		bad_usage("%s must be from %ld to %ld, not \"%s\"", flag, min, max, text);
	return n;
}

/* A name for shm_open: one slash, at the beginning. */
static inline const char *pool_name(const char *text)
{
	if (text[0] != '/' || !text[1] || strchr(text + 1, '/') || strlen(text) > 255)
		bad_usage("--name must begin with a slash and have no other, not \"%s\"", text);
	return text;
}

static inline uint64_t now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * SECOND + ts.tv_nsec;
}

static inline struct timespec at(uint64_t ns)
{
	return (struct timespec){ns / SECOND, ns % SECOND};
}

static inline double seconds(uint64_t ns)
{
	return ns / 1e9;
}

/*
 * When a process was started, in clock ticks since the machine was: with the pid, that
 * names the process for good. False if there is none, or only a zombie.
 */
static inline bool started(pid_t pid, uint64_t *ticks)
{
	char path[32], stat[1024], state = 'X';
	unsigned long long start = 0;
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	FILE *f = pid > 0 ? fopen(path, "re") : NULL;
	if (!f)
		return false;
	stat[fread(stat, 1, sizeof stat - 1, f)] = '\0';
	fclose(f);
	/* PID (NAME) STATE ..., and NAME may hold anything. */
	const char *behind = strrchr(stat, ')');
	if (!behind ||
		sscanf(behind, ") %c" /* 4 to 21: */
			       "%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%llu",
			&state, &start) != 2)
		return false;
	*ticks = start;
	return state != 'Z' && state != 'X';
}

static inline bool is_process(pid_t pid, uint64_t since)
{
	uint64_t ticks;
	return started(pid, &ticks) && ticks == since;
}

/* FNV-1a of the header, so that no single field can be wrong unnoticed. */
static inline uint64_t checksum(const struct pool *p)
{
	uint64_t h = 0xcbf29ce484222325;
	for (size_t i = offsetof(struct pool, version); i < offsetof(struct pool, checksum); i++)
		h = (h ^ ((const unsigned char *)p)[i]) * 0x100000001b3;
	return h;
}

static inline void init_mutex(pthread_mutex_t *m)
{
	pthread_mutexattr_t attr;
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_NORMAL); /* glibc: not the default's bits */
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(m, &attr);
	pthread_mutexattr_destroy(&attr);
}

/* Why the memory is no pool of ours, NULL if it is one. */
static inline const char *unfit(const struct pool *p, size_t size)
{
	static char why[96];
	pthread_mutex_t fresh;
	if (size < 64 || memcmp(p->magic, MAGIC, 8))
		return "not a connection pool";
	if (p->version != VERSION) {
		snprintf(why, sizeof why, "version %u of the layout, not %d", p->version, VERSION);
		return why;
	}
	if (p->checksum != checksum(p))
		return "the header is damaged";
	if (p->size != size || p->size != sizeof *p || p->entries != ENTRIES || p->slots < 1 ||
		p->slots > MAX_SLOTS || p->sem_size != sizeof(sem_t) || p->mutex_size != sizeof(pthread_mutex_t))
		return "another layout";
	/* Of a mutex of another kind libc would do what it likes, abort included. */
	init_mutex(&fresh);
	if (p->lock.__data.__kind != fresh.__data.__kind)
		return "the lock is damaged";
	return NULL;
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
		uint64_t t = now();
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
