/* A worker's place in the pool: joining, waiting, taking a connection, giving it back. */
#ifndef LEASE_H
#define LEASE_H

#include "pool.h"

static uint32_t me;	     /* number */
static struct entry *entry;  /* while joined */
static uint64_t timeout = 30 * SECOND, hold = SECOND;
static bool real_time, quiet;
static volatile sig_atomic_t signalled;

/* When the present sleep ends. The kernel reads it as the sleep begins, so a signal that
 * comes between a look at signalled and the sleep ends that too. */
static struct timespec until;

static void on_signal(int sig)
{
	signalled = sig;
	until = (struct timespec){0};
}

static void __attribute__((format(printf, 1, 2))) say(const char *format, ...)
{
	if (quiet)
		return;
	va_list args;
	va_start(args, format);
	printf("Worker %u: ", me);
	vprintf(format, args);
	putchar('\n');
	va_end(args);
}

/* Takes a place in the table of the pool. */
static const char *join(void)
{
	const char *why = attach();
	if (why)
		return why;
	lock();
	why = pool->closed ? "its manager has closed it" : "too many workers";
	for (uint32_t i = 0; i < ENTRIES && !pool->closed && !entry; i++) {
		struct entry *e = &pool->table[i];
		if (e->state != UNUSED)
			continue;
		*e = (struct entry){.pid = getpid(), .worker = me, .serial = ++pool->serials, .since = now_ns()};
		started(e->pid, &e->started);
		__atomic_store_n(&e->state, IDLE, __ATOMIC_RELEASE);
		pool->seen++;
		entry = e;
	}
	unlock();
	if (!entry) {
		munmap(pool, sizeof *pool);
		return why;
	}
	return NULL;
}

/* Leaves the pool, and gives back what it holds. True if it held something. */
static bool leave(uint64_t *count, uint32_t *remaining)
{
	lock();
	bool held = entry->state == HOLDING;
	if (held) {
		vacate(entry);
		pool->released++;
	}
	if (entry->state == WAITING || entry->state == GRANTED)
		pool->waiting--;
	*remaining = pool->free;
	entry->state = UNUSED;
	++*count;
	unlock();
	return held;
}

static _Noreturn void give_up(void)
{
	uint32_t remaining;
	if (leave(&pool->failed, &remaining)) {
		say("Released connection (%u remaining)", remaining);
		fflush(stdout);
		sem_post(&pool->available);
	}
	if (signalled) {
		fflush(stdout);
		signal(signalled, SIG_DFL);
		raise(signalled);
	}
	exit(1);
}

/* Says why there was no connection in time, with who has kept his the longest. */
static _Noreturn void timed_out(void)
{
	const struct entry *oldest = NULL;
	lock();
	pool->gave_up++;
	for (uint32_t i = 0; i < ENTRIES; i++) {
		const struct entry *e = &pool->table[i];
		if (e->state == HOLDING && (!oldest || e->since < oldest->since))
			oldest = e;
	}
	fprintf(stderr, "worker: worker %u: no connection of %s within %g s: %u of %u are lent", me, name,
		seconds(timeout), pool->slots - pool->free, pool->slots);
	if (oldest)
		fprintf(stderr, ", one to worker %u (process %d) for %.1f s", oldest->worker, oldest->pid,
			seconds(now_ns() - oldest->since));
	fputc('\n', stderr);
	unlock();
	give_up();
}

/* Waits for the semaphore; the deadlines are the same moment on two clocks. */
static void wait_until(uint64_t monotonic, const struct timespec *real)
{
	int failed;
	do {
		until = real_time ? *real : at(monotonic);
		failed = signalled ? -1 : real_time ? sem_timedwait(&pool->available, &until) :
			sem_clockwait(&pool->available, CLOCK_MONOTONIC, &until);
	} while (failed && errno == EINTR && !signalled);
	if (signalled)
		give_up(); /* a token that it has just taken is missed by the manager */
	if (failed && errno == ETIMEDOUT)
		timed_out();
	if (failed)
		die("pool %s: wait: %s", name, strerror(errno));
}

static void begin_to_wait(void)
{
	lock();
	entry->ticket = ++pool->tickets;
	entry->since = now_ns();
	entry->state = WAITING;
	pool->waiting++;
	unlock();
}

/* Takes a free connection, with a token of the semaphore. False if there is none. */
static bool take(uint32_t *slot, uint32_t *remaining)
{
	uint64_t t = now_ns(), ticket = entry->ticket;
	lock();
	bool waited = entry->state != IDLE;
	if (pool->closed) {
		unlock();
		fprintf(stderr, "worker: pool %s: its manager has closed it\n", name);
		give_up();
	}
	for (*slot = 0; *slot < pool->slots && pool->slot[*slot].holder; ++*slot)
		;
	if (*slot == pool->slots) {
		unlock();
		return false;
	}
	if (waited) {
		pool->waiting--;
		if (t - entry->since > pool->longest_wait)
			pool->longest_wait = t - entry->since;
	} else {
		ticket = ++pool->tickets;
	}
	bool overtook = false;
	for (uint32_t i = 0; i < ENTRIES && pool->waiting && !overtook; i++) {
		const struct entry *e = &pool->table[i];
		overtook = __atomic_load_n(&e->state, __ATOMIC_RELAXED) == WAITING && e->ticket < ticket;
	}
	pool->overtaken += overtook;
	entry->slot = *slot;
	entry->since = t;
	__atomic_store_n(&entry->state, HOLDING, __ATOMIC_RELEASE);
	pool->slot[*slot].holder = entry - pool->table + 1;
	pool->lent++;
	*remaining = --pool->free;
	unlock();
	return true;
}

/* Acquires a connection, and returns its number from 0. */
static uint32_t acquire(void)
{
	uint32_t slot, remaining;
	if (sem_trywait(&pool->available) != 0 || !take(&slot, &remaining)) {
		struct timespec real;
		uint64_t deadline = now_ns() + timeout;
		clock_gettime(CLOCK_REALTIME, &real);
		real = at(real.tv_sec * SECOND + real.tv_nsec + timeout);
		begin_to_wait();
		say("Waiting for connection...");
		for (;;) {
			wait_until(deadline, &real);
			__atomic_store_n(&entry->state, GRANTED, __ATOMIC_RELEASE);
			if (take(&slot, &remaining))
				break;
			/* A token too many: the table says so, and the token is gone now. */
			__atomic_store_n(&entry->state, WAITING, __ATOMIC_RELEASE);
			if (now_ns() >= deadline)
				timed_out();
		}
	}
	say("Acquired connection (%u remaining)", remaining);
	return slot;
}

/* The line comes first, so that no line of who gets the connection comes before it. */
static void release(void)
{
	lock();
	vacate(entry);
	pool->released++;
	uint32_t remaining = pool->free;
	unlock();
	say("Released connection (%u remaining)", remaining);
	sem_post(&pool->available);
}

#endif
