/*
 * peer - the other side of the binding's tests, in plain C. It maps a shared memory
 * object, reads calls from standard input, one a line, and answers each with a line: what
 * the call returned. Objects are named by their offset in the memory.
 *
 *	echo "mutex_lock 64" | peer /object
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static char *memory;

/* What a call is given: its object, and up to five numbers. */
struct call {
	void *object;
	long n[5];
};

static struct timespec in(long ms, clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

/* kind robust protocol ceiling */
static int mutex_init(struct call *c)
{
	pthread_mutexattr_t a;

	pthread_mutexattr_init(&a);
	pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_settype(&a, (int)c->n[0]);
	pthread_mutexattr_setrobust(&a, (int)c->n[1]);
	pthread_mutexattr_setprotocol(&a, (int)c->n[2]);
	if (c->n[3])
		pthread_mutexattr_setprioceiling(&a, (int)c->n[3]);
	return pthread_mutex_init(c->object, &a);
}

static int mutex_lock(struct call *c) { return pthread_mutex_lock(c->object); }
static int mutex_trylock(struct call *c) { return pthread_mutex_trylock(c->object); }
static int mutex_unlock(struct call *c) { return pthread_mutex_unlock(c->object); }
static int mutex_consistent(struct call *c) { return pthread_mutex_consistent(c->object); }

static int mutex_timedlock(struct call *c)
{
	struct timespec t = in(c->n[0], CLOCK_REALTIME);

	return pthread_mutex_timedlock(c->object, &t);
}

/* word times: the word under the mutex grows by 1, so many times */
static int mutex_count(struct call *c)
{
	volatile int64_t *word = (volatile int64_t *)(memory + c->n[0]);
	int error = 0;

	for (long i = 0; i < c->n[1] && error == 0; i++) {
		error = pthread_mutex_lock(c->object);
		if (error != 0)
			break;
		(*word)++;
		error = pthread_mutex_unlock(c->object);
	}
	return error;
}

/*
 * words times: both words under the mutex grow by 1, so many times. They are equal, unless
 * an owner died: then he is believed to have begun.
 */
static int mutex_pairs(struct call *c)
{
	volatile int64_t *words = (volatile int64_t *)(memory + c->n[0]);
	int error = 0;

	for (long i = 0; i < c->n[1] && error == 0; i++) {
		struct timespec t = in(60000, CLOCK_REALTIME);

		error = pthread_mutex_timedlock(c->object, &t);
		if (error == EOWNERDEAD) {
			words[1] = words[0];
			error = pthread_mutex_consistent(c->object);
		}
		if (error != 0)
			break;
		if (words[0] != words[1])
			error = EILSEQ;
		words[0]++;
		words[1]++;
		if (pthread_mutex_unlock(c->object) != 0)
			error = EPERM;
	}
	return error;
}

static int cond_init(struct call *c)
{
	pthread_condattr_t a;

	pthread_condattr_init(&a);
	pthread_condattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	pthread_condattr_setclock(&a, (clockid_t)c->n[0]);
	return pthread_cond_init(c->object, &a);
}

static int cond_signal(struct call *c) { return pthread_cond_signal(c->object); }
static int cond_broadcast(struct call *c) { return pthread_cond_broadcast(c->object); }
static int cond_wait(struct call *c) { return pthread_cond_wait(c->object, (pthread_mutex_t *)(memory + c->n[0])); }

/* mutex clock ms */
static int cond_timedwait(struct call *c)
{
	struct timespec t = in(c->n[2], (clockid_t)c->n[1]);

	return pthread_cond_timedwait(c->object, (pthread_mutex_t *)(memory + c->n[0]), &t);
}

/* mutex word mine parties times: waits for its turn, and wakes whose turn it is then, so many times */
static int cond_pass(struct call *c)
{
	pthread_mutex_t *mutex = (pthread_mutex_t *)(memory + c->n[0]);
	volatile int64_t *turn = (volatile int64_t *)(memory + c->n[1]);

	for (long i = 0; i < c->n[4]; i++) {
		pthread_mutex_lock(mutex);
		while (*turn % c->n[3] != c->n[2])
			pthread_cond_wait(c->object, mutex);
		++*turn;
		if (i % 2 == 0)
			pthread_mutex_unlock(mutex);
		if (c->n[3] == 2)
			pthread_cond_signal(c->object);
		else
			pthread_cond_broadcast(c->object);
		if (i % 2 != 0)
			pthread_mutex_unlock(mutex);
	}
	return 0;
}

static int rwlock_init(struct call *c)
{
	pthread_rwlockattr_t a;

	pthread_rwlockattr_init(&a);
	pthread_rwlockattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	pthread_rwlockattr_setkind_np(&a, (int)c->n[0]);
	return pthread_rwlock_init(c->object, &a);
}

static int rwlock_rdlock(struct call *c) { return pthread_rwlock_rdlock(c->object); }
static int rwlock_wrlock(struct call *c) { return pthread_rwlock_wrlock(c->object); }
static int rwlock_tryrdlock(struct call *c) { return pthread_rwlock_tryrdlock(c->object); }
static int rwlock_trywrlock(struct call *c) { return pthread_rwlock_trywrlock(c->object); }
static int rwlock_unlock(struct call *c) { return pthread_rwlock_unlock(c->object); }

static int barrier_init(struct call *c)
{
	pthread_barrierattr_t a;

	pthread_barrierattr_init(&a);
	pthread_barrierattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	return pthread_barrier_init(c->object, &a, (unsigned int)c->n[0]);
}

static int barrier_wait(struct call *c) { return pthread_barrier_wait(c->object); }

static int spin_init(struct call *c) { return pthread_spin_init(c->object, PTHREAD_PROCESS_SHARED); }
static int spin_lock(struct call *c) { return pthread_spin_lock(c->object); }
static int spin_trylock(struct call *c) { return pthread_spin_trylock(c->object); }
static int spin_unlock(struct call *c) { return pthread_spin_unlock(c->object); }

#define CALL(name) { #name, name }
static const struct {
	const char *name;
	int (*function)(struct call *);
} calls[] = {
	CALL(mutex_init), CALL(mutex_lock), CALL(mutex_trylock), CALL(mutex_unlock),
	CALL(mutex_consistent), CALL(mutex_timedlock), CALL(mutex_count), CALL(mutex_pairs),
	CALL(cond_init), CALL(cond_signal), CALL(cond_broadcast), CALL(cond_wait), CALL(cond_timedwait),
	CALL(cond_pass),
	CALL(rwlock_init), CALL(rwlock_rdlock), CALL(rwlock_wrlock), CALL(rwlock_tryrdlock),
	CALL(rwlock_trywrlock), CALL(rwlock_unlock),
	CALL(barrier_init), CALL(barrier_wait),
	CALL(spin_init), CALL(spin_lock), CALL(spin_trylock), CALL(spin_unlock),
};

int main(int argc, char **argv)
{
	char line[256], name[32];
	int fd = argc == 2 ? shm_open(argv[1], O_RDWR, 0) : -1;

	if (fd == -1 || (memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)) == MAP_FAILED) {
		perror("peer: shared memory");
		return 1;
	}
	while (fgets(line, sizeof(line), stdin) != NULL) {
		struct call c = {0};
		long offset;
		size_t i = 0;

		if (sscanf(line, "%31s %ld %ld %ld %ld %ld %ld", name, &offset,
			   &c.n[0], &c.n[1], &c.n[2], &c.n[3], &c.n[4]) < 2)
			return 2;
		c.object = memory + offset;
		while (i < sizeof(calls) / sizeof(calls[0]) && strcmp(calls[i].name, name) != 0)
			i++;
		if (i == sizeof(calls) / sizeof(calls[0])) {
			fprintf(stderr, "peer: no call %s\n", name);
			return 2;
		}
		printf("%d\n", calls[i].function(&c));
		fflush(stdout);
	}
	return 0;
}
