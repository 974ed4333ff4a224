/*
 * A reusable barrier of ten System V semaphores. A round's semaphore of the ring has as
 * many units as processes are missing; who arrives moves one to the next, who waits
 * sleeps until 0. The kernel empties the ring when a member dies, and says so in BROKEN.
 */
#ifndef BARRIER_H
#define BARRIER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/ipc.h>
#include <sys/sem.h>

#include "../../internal/cli/ref/cli.h"

enum {
	RING,	     /* three: who waits sleeps here, for 0 */
	MISSING = 3, /* three: the same numbers, which a death leaves as they are */
	BROKEN = 6,  /* processes that died, 0 while the barrier is whole */
	PLACES,	     /* members that may still join */
	ACTIVE,	     /* members that have not stopped for a repair */
	OWNER,	     /* 1 while the process that made the set lives */
	SEMAPHORES
};

#define LIFT 16384 /* more than the ring ever holds */
#define MAX_PROCESSES (32767 - LIFT)

union semun {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
};


/* Operations that are to be one. */
struct ops {
	struct sembuf op[40];
	size_t n;
};

static inline void append(struct ops *o, int sem, int add, int flags)
{
	o->op[o->n++] = (struct sembuf){
		.sem_num = (unsigned short)sem, .sem_op = (short)add, .sem_flg = (short)flags};
}

static inline int perform(int set, struct ops *o)
{
	int r;
	do
		r = semop(set, o->op, o->n);
	while (r == -1 && errno == EINTR);
	return r;
}

static inline int turn(int of, int round)
{
	return of + round % 3;
}

/*
 * Changes no value now; when this process ends, the kernel takes LIFT from each
 * semaphore of the ring, down to 0, and adds 1 to BROKEN.
 */
static inline void arm(struct ops *o)
{
	append(o, BROKEN, 1, 0);
	append(o, BROKEN, -1, SEM_UNDO | IPC_NOWAIT);
	for (int i = RING; i < RING + 3; i++) {
		append(o, i, LIFT, SEM_UNDO);
		append(o, i, -LIFT, IPC_NOWAIT);
	}
}

static inline void disarm(struct ops *o)
{
	append(o, BROKEN, 1, SEM_UNDO);
	append(o, BROKEN, -1, IPC_NOWAIT);
	for (int i = RING; i < RING + 3; i++) {
		append(o, i, LIFT, 0);
		append(o, i, -LIFT, SEM_UNDO | IPC_NOWAIT);
	}
}

/* Whether a set has got its values: semget and semop are two steps. */
static inline bool initialized(int set)
{
	struct semid_ds ds;
	for (int tries = 0; tries < 10000; tries++) {
		if (semctl(set, 0, IPC_STAT, (union semun){.buf = &ds}) == -1)
			return false;
		if (ds.sem_otime != 0)
			return true;
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	errno = ETIMEDOUT;
	return false;
}

/* EAGAIN: all have joined. */
static inline int join(int set)
{
	struct ops o = {.n = 0};
	arm(&o);
	append(&o, PLACES, -1, SEM_UNDO | IPC_NOWAIT);
	append(&o, ACTIVE, 1, SEM_UNDO);
	return initialized(set) ? perform(set, &o) : -1;
}

static inline int leave(int set)
{
	struct ops o = {.n = 0};
	disarm(&o);
	append(&o, PLACES, 1, SEM_UNDO);
	append(&o, ACTIVE, -1, SEM_UNDO | IPC_NOWAIT);
	return perform(set, &o);
}

/* Arrives and waits for the others. EAGAIN: the barrier is broken, for all of them. */
static inline int barrier_wait(int set, int round)
{
	struct ops arrive = {.n = 0}, wait = {.n = 0}, complete = {.n = 0};
	append(&arrive, BROKEN, 0, IPC_NOWAIT);
	for (int of = RING; of <= MISSING; of += MISSING) {
		append(&arrive, turn(of, round), -1, IPC_NOWAIT);
		append(&arrive, turn(of, round + 1), 1, 0);
	}
	append(&wait, turn(RING, round), 0, 0);
	append(&wait, BROKEN, 0, IPC_NOWAIT);
	append(&complete, turn(MISSING, round), 0, IPC_NOWAIT);
	if (perform(set, &arrive) == -1)
		return -1;
	if (perform(set, &wait) == 0)
		return 0;
	return errno == EAGAIN ? perform(set, &complete) : -1;
}

static inline bool owner_lives(int set)
{
	return semctl(set, OWNER, GETVAL) > 0;
}

/* Stops until the barrier is mended. -1: nobody will, or there is no set any more. */
static inline int settle(int set)
{
	struct ops stop = {.n = 0}, go = {.n = 0};
	append(&stop, ACTIVE, -1, SEM_UNDO | IPC_NOWAIT);
	append(&go, BROKEN, 0, 0);
	append(&go, ACTIVE, 1, SEM_UNDO);
	if (perform(set, &stop) == -1)
		return -1;
	while (semtimedop(set, go.op, go.n, &(struct timespec){.tv_sec = 1}) == -1)
		if ((errno != EAGAIN && errno != EINTR) || !owner_lives(set))
			return -1;
	return 0;
}

/* Takes from three semaphores exactly what is there. */
static inline void empty(struct ops *o, const unsigned short *values, int of)
{
	for (int i = of; i < of + 3; i++) {
		append(o, i, -values[i], IPC_NOWAIT);
		append(o, i, 0, IPC_NOWAIT);
	}
}

/* Ends the waiting for one who will never come. 0 also if the barrier is broken already. */
static inline int break_barrier(int set)
{
	unsigned short values[SEMAPHORES];
	do {
		struct ops o = {.n = 0};
		if (semctl(set, 0, GETALL, (union semun){.array = values}) == -1)
			return -1;
		if (values[BROKEN] > 0)
			return 0;
		empty(&o, values, RING);
		append(&o, BROKEN, 1, 0);
		if (perform(set, &o) == 0)
			return 0;
	} while (errno == EAGAIN);
	return -1;
}

/*
 * Makes the barrier whole for a round, if all have stopped, and nothing changes
 * meanwhile. EAGAIN: it is not so.
 */
static inline int mend(int set, int processes, int round)
{
	unsigned short values[SEMAPHORES];
	struct ops o = {.n = 0};
	if (semctl(set, 0, GETALL, (union semun){.array = values}) == -1)
		return -1;
	empty(&o, values, RING);
	empty(&o, values, MISSING);
	append(&o, ACTIVE, 0, IPC_NOWAIT);
	append(&o, BROKEN, -values[BROKEN], IPC_NOWAIT);
	append(&o, BROKEN, 0, IPC_NOWAIT);
	append(&o, turn(RING, round), processes, 0);
	append(&o, turn(MISSING, round), processes, 0);
	return perform(set, &o);
}

/* Whether those who have left have left nothing behind. */
static inline bool clean(int set, int processes)
{
	unsigned short v[SEMAPHORES];
	if (semctl(set, 0, GETALL, (union semun){.array = v}) == -1)
		return false;
	bool whole = v[BROKEN] == 0 && memcmp(v + RING, v + MISSING, 3 * sizeof *v) == 0;
	bool fallen = v[BROKEN] > 0 && v[RING] + v[RING + 1] + v[RING + 2] == 0;
	return (whole || fallen) && v[MISSING] + v[MISSING + 1] + v[MISSING + 2] == processes &&
		v[PLACES] == processes && v[ACTIVE] == 0 && v[OWNER] == 1;
}

#endif
