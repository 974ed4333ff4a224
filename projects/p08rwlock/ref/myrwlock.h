/*
 * myrwlock - a read-write lock made of one mutex and condition variables.
 *
 * Like pthread_rwlock_t it is plain memory: between processes it lies in a shared
 * mapping. Functions return 0 or an error number. A deadline is a time of CLOCK_MONOTONIC;
 * NULL waits for ever.
 */
#ifndef MYRWLOCK_H
#define MYRWLOCK_H

#include <errno.h>
#include <time.h>

#include "layout.h"

/* ---- the mutex -------------------------------------------------------------- */

/*
 * The counts of a process that died between two stores are worth nothing, and nobody
 * knows which: all who wait are told, and the mutex is given up for good.
 */
static inline int rw_entered(struct myrwlock *l, int error)
{
	if (error != EOWNERDEAD)
		return error;
	pthread_cond_broadcast(&l->readable);
	pthread_cond_broadcast(&l->writable);
	for (int i = 0; i < TURNS; i++)
		pthread_cond_broadcast(&l->turn[i].cond);
	pthread_mutex_unlock(&l->mutex);
	return ENOTRECOVERABLE;
}

static inline int rw_enter(struct myrwlock *l)
{
	return rw_entered(l, pthread_mutex_lock(&l->mutex));
}

/* Sleeps until somebody has signalled. ENOTRECOVERABLE comes without the mutex. */
static inline int rw_sleep(struct myrwlock *l, pthread_cond_t *cond, const struct timespec *deadline)
{
	if (!deadline)
		return rw_entered(l, pthread_cond_wait(cond, &l->mutex));
	return rw_entered(l, pthread_cond_clockwait(cond, &l->mutex, CLOCK_MONOTONIC, deadline));
}

/* ---- the policies ------------------------------------------------------------ */

/*
 * May one who comes now, or who waits, have the lock? A writer who comes does not overtake
 * those who wait; he who waits does not stand in his own way.
 */
static inline bool rw_may(const struct myrwlock *l, enum kind kind, bool waits)
{
	if (l->writer || (kind == WRITER && l->readers))
		return false;
	if (kind == WRITER && !waits && l->waiting_writers)
		return false;
	switch (l->policy) {
	case PREFER_READER:
		return kind == READER || l->waiting_readers == 0;
	case PREFER_WRITER:
		return kind == WRITER || l->waiting_writers == 0;
	default:
		return waits || l->head == NOBODY;
	}
}

static inline void rw_take(struct myrwlock *l, enum kind kind)
{
	if (kind == READER)
		l->readers++;
	else
		l->writer = 1;
}

static inline uint32_t *rw_waiting(struct myrwlock *l, enum kind kind)
{
	return kind == READER ? &l->waiting_readers : &l->waiting_writers;
}

static inline void rw_unlink(struct myrwlock *l, uint16_t i)
{
	struct place *p = &l->place[i];

	*(p->prev == NOBODY ? &l->head : &l->place[p->prev].next) = p->next;
	*(p->next == NOBODY ? &l->tail : &l->place[p->next].prev) = p->prev;
	--*rw_waiting(l, p->kind);
}

/*
 * Wakes those who may have the lock now. In the queue the first gets it, and a reader
 * takes along the readers right behind him: they hold it before they wake up, so that
 * nobody can come between.
 */
static inline void rw_wake(struct myrwlock *l)
{
	if (l->policy == FAIR) {
		while (l->head != NOBODY && rw_may(l, l->place[l->head].kind, true)) {
			uint16_t i = l->head;
			rw_unlink(l, i);
			rw_take(l, l->place[i].kind);
			l->place[i].granted = 1;
			pthread_cond_broadcast(&l->turn[i % TURNS].cond);
		}
	} else if (l->waiting_readers && rw_may(l, READER, true)) {
		pthread_cond_broadcast(&l->readable);
	} else if (l->waiting_writers && rw_may(l, WRITER, true)) {
		pthread_cond_signal(&l->writable);
	}
}

/* Waits for one's turn in the queue; holds the lock at 0. */
static inline int rw_queue(struct myrwlock *l, enum kind kind, const struct timespec *deadline)
{
	uint16_t i = l->free != NOBODY ? l->free : l->used;
	struct place *p = &l->place[i];
	int error = 0;

	if (i == WAITERS)
		return EAGAIN;
	if (l->free != NOBODY)
		l->free = p->next;
	else
		l->used++;
	*p = (struct place){.next = NOBODY, .prev = l->tail, .kind = (uint16_t)kind};
	*(l->tail == NOBODY ? &l->head : &l->place[l->tail].next) = i;
	l->tail = i;
	++*rw_waiting(l, kind);
	while (!p->granted && !error)
		error = rw_sleep(l, &l->turn[i % TURNS].cond, deadline);
	if (error == ENOTRECOVERABLE)
		return error;
	if (p->granted)
		error = 0; /* maybe in the last moment */
	else
		rw_unlink(l, i);
	p->next = l->free;
	l->free = i;
	return error;
}

/* Waits with a preference; holds the lock at 0. */
static inline int rw_prefer(struct myrwlock *l, enum kind kind, const struct timespec *deadline)
{
	pthread_cond_t *cond = kind == READER ? &l->readable : &l->writable;
	int error;

	++*rw_waiting(l, kind);
	do
		error = rw_sleep(l, cond, deadline);
	while (!error && !rw_may(l, kind, true));
	if (error == ENOTRECOVERABLE)
		return error;
	--*rw_waiting(l, kind);
	if (!rw_may(l, kind, true))
		return error;
	rw_take(l, kind); /* maybe in the last moment */
	return 0;
}

static inline int rw_acquire(struct myrwlock *l, enum kind kind, bool wait, const struct timespec *deadline)
{
	int error = rw_enter(l);

	if (error)
		return error;
	if (rw_may(l, kind, false)) {
		rw_take(l, kind);
	} else if (!wait) {
		error = EBUSY;
	} else {
		error = (l->policy == FAIR ? rw_queue : rw_prefer)(l, kind, deadline);
		if (error == ENOTRECOVERABLE)
			return error;
		if (error)
			rw_wake(l); /* others may have waited for us only */
	}
	pthread_mutex_unlock(&l->mutex);
	return error;
}

/* ---- the interface ------------------------------------------------------------ */

/* ETIMEDOUT; EAGAIN: too many wait; ENOTRECOVERABLE: a process died in here. */
static inline int myrwlock_lock(struct myrwlock *l, enum kind kind, const struct timespec *deadline)
{
	return rw_acquire(l, kind, true, deadline);
}

/* EBUSY; ENOTRECOVERABLE. */
static inline int myrwlock_trylock(struct myrwlock *l, enum kind kind)
{
	return rw_acquire(l, kind, false, NULL);
}

/* How the lock is just now: who hold it and who wait, by kind. */
static inline int myrwlock_state(struct myrwlock *l, uint32_t holding[2], uint32_t waiting[2])
{
	int error = rw_enter(l);

	if (error)
		return error;
	holding[READER] = l->readers;
	holding[WRITER] = l->writer;
	waiting[READER] = l->waiting_readers;
	waiting[WRITER] = l->waiting_writers;
	return pthread_mutex_unlock(&l->mutex);
}

/* EPERM: nobody holds it so; ENOTRECOVERABLE. */
static inline int myrwlock_unlock(struct myrwlock *l, enum kind kind)
{
	int error = rw_enter(l);

	if (error)
		return error;
	if (kind == READER ? l->readers == 0 : l->writer == 0)
		error = EPERM;
	else if (kind == READER)
		l->readers--;
	else
		l->writer = 0;
	if (!error)
		rw_wake(l);
	pthread_mutex_unlock(&l->mutex);
	return error;
}
#endif
