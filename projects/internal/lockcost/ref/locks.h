/* The locks under which a counter is incremented: locks.go. */
#ifndef LOCKS_H
#define LOCKS_H

#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/ipc.h>
#include <sys/sem.h>

#include "page.h"

/* name##_work increments n times; each lock has a loop of its own, as a program would. */
#define INCREMENTS(name, lock, unlock)                         \
	static void name##_work(int worker, uint64_t n)        \
	{                                                      \
		(void)worker;                                  \
		while (n--) {                                  \
			lock;                                  \
			page->counter++;                       \
			unlock;                                \
		}                                              \
	}

#define MUTEX ((pthread_mutex_t *)page->objects[0])
#define RWLOCK ((pthread_rwlock_t *)page->objects[0])
#define SPIN ((pthread_spinlock_t *)page->objects[0])
#define SEM(i) ((sem_t *)page->objects[i])

static int sharing(void)
{
	return processes ? PTHREAD_PROCESS_SHARED : PTHREAD_PROCESS_PRIVATE;
}

static void make_mutex(int type, int robust)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	must(pthread_mutexattr_settype(&attr, type), "pthread_mutexattr_settype");
	must(pthread_mutexattr_setrobust(&attr, robust), "pthread_mutexattr_setrobust");
	must(pthread_mutexattr_setpshared(&attr, sharing()), "pthread_mutexattr_setpshared");
	must(pthread_mutex_init(MUTEX, &attr), "pthread_mutex_init");
	pthread_mutexattr_destroy(&attr);
}

static void make_normal(void) { make_mutex(PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_STALLED); }
static void make_errorcheck(void) { make_mutex(PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_STALLED); }
static void make_recursive(void) { make_mutex(PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_STALLED); }
static void make_robust(void) { make_mutex(PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST); }

INCREMENTS(mutex, must(pthread_mutex_lock(MUTEX), "pthread_mutex_lock"),
	must(pthread_mutex_unlock(MUTEX), "pthread_mutex_unlock"))

static void make_rwlock(void)
{
	pthread_rwlockattr_t attr;

	pthread_rwlockattr_init(&attr);
	must(pthread_rwlockattr_setpshared(&attr, sharing()), "pthread_rwlockattr_setpshared");
	must(pthread_rwlock_init(RWLOCK, &attr), "pthread_rwlock_init");
	pthread_rwlockattr_destroy(&attr);
}

INCREMENTS(rwlock_read, must(pthread_rwlock_rdlock(RWLOCK), "pthread_rwlock_rdlock"),
	must(pthread_rwlock_unlock(RWLOCK), "pthread_rwlock_unlock"))
INCREMENTS(rwlock_write, must(pthread_rwlock_wrlock(RWLOCK), "pthread_rwlock_wrlock"),
	must(pthread_rwlock_unlock(RWLOCK), "pthread_rwlock_unlock"))

static void make_spin(void) { must(pthread_spin_init(SPIN, sharing()), "pthread_spin_init"); }

INCREMENTS(spin, must(pthread_spin_lock(SPIN), "pthread_spin_lock"),
	must(pthread_spin_unlock(SPIN), "pthread_spin_unlock"))

static void wait_for(sem_t *s)
{
	while (sem_wait(s) != 0)
		if (errno != EINTR)
			die("sem_wait: %s", strerror(errno));
}

static void make_sem(void) { may(sem_init(SEM(0), 1, 1), "sem_init"); }

INCREMENTS(sem, wait_for(SEM(0)), may(sem_post(SEM(0)), "sem_post"))

/* A name tells who made it, should he be killed: leftovers.go. */
static char sem_name[64];
static sem_t *sem_named;

static void remove_name(void)
{
	if (getpid() == page->maker)
		sem_unlink(sem_name);
}

static void make_sem_named(void)
{
	snprintf(sem_name, sizeof(sem_name), "/unpipc-%d-lockcost", (int)page->maker);
	sem_named = sem_open(sem_name, O_CREAT | O_EXCL, 0600, 1);
	if (sem_named == SEM_FAILED)
		die("sem_open %s: %s", sem_name, strerror(errno));
	atexit(remove_name);
}

INCREMENTS(sem_named, wait_for(sem_named), may(sem_post(sem_named), "sem_post"))

/* One System V operation; signals end it. */
static void operate(int sem, int add, int flags)
{
	struct sembuf op = {.sem_num = sem, .sem_op = add, .sem_flg = flags};

	while (semop(page->set, &op, 1) != 0)
		if (errno != EINTR)
			die("semop: %s", strerror(errno));
}

static void remove_set(void)
{
	if (getpid() == page->maker)
		semctl(page->set, 0, IPC_RMID);
}

/* One for each worker, the first of them 1. The key tells who made the set. */
static void make_semop(void)
{
	unsigned int key = 0x1b5u << 22 | ((unsigned int)getpid() & 0x3fffff);

	page->set = semget((key_t)key, page->workers, IPC_CREAT | IPC_EXCL | 0600);
	if (page->set == -1)
		die("semget 0x%08x: %s", key, strerror(errno));
	atexit(remove_set);
	for (int i = 0; i < page->workers; i++)
		may(semctl(page->set, i, SETVAL, i == 0), "semctl");
}

INCREMENTS(semop, operate(0, -1, 0), operate(0, 1, 0))
INCREMENTS(semop_undo, operate(0, -1, SEM_UNDO), operate(0, 1, SEM_UNDO))

/* One record lock operation on the first byte. */
static void record(int fd, int command, int type)
{
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_len = 1};

	while (fcntl(fd, command, &lock) != 0)
		if (errno != EINTR)
			die("fcntl: %s", strerror(errno));
}

INCREMENTS(reclock, record(page_fd, F_SETLKW, F_WRLCK), record(page_fd, F_SETLK, F_UNLCK))

static _Thread_local int own_fd; /* with an open file description of its own */

static void open_own(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", page_fd);
	own_fd = open(path, O_RDWR | O_CLOEXEC);
	may(own_fd, path);
}

INCREMENTS(reclock_ofd, record(own_fd, F_OFD_SETLKW, F_WRLCK), record(own_fd, F_OFD_SETLK, F_UNLCK))

#endif
