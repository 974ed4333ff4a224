#include "unp_pthread_owner.h"

#include "trial.h"
#include "unp_pthread.h"

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { WRITERS_TURN = 1, WRITER = 2, READER = 8, SLEPT_FOR = 2, PASSED_ON = 1u << 31 };

/* The words of a lock, which may be looked at beside libc's own type. */
struct __attribute__((may_alias)) words {
	uint32_t readers, writers, phase, sleepers, unused[2];
	int32_t writer, shared;
	uint32_t unused_too[4], kind;
};

static uint32_t load(uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static uint32_t swap(uint32_t *word, uint32_t value)
{
	return __atomic_exchange_n(word, value, __ATOMIC_SEQ_CST);
}

static bool change(uint32_t *word, uint32_t from, uint32_t to)
{
	return __atomic_compare_exchange_n(word, &from, to, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static void wake(struct words *w, uint32_t *word, int how_many)
{
	syscall(SYS_futex, word, w->shared ? FUTEX_WAKE : FUTEX_WAKE_PRIVATE, how_many, NULL, NULL, 0);
}

/* What Go does: a writer takes a lock that nobody has. */
static bool take(struct words *w, int32_t me)
{
	uint32_t was = load(&w->readers);
	if (was & ~(uint32_t)WRITERS_TURN || !change(&w->readers, was, WRITERS_TURN | WRITER))
		return false;
	w->sleepers = 1;
	if (was == 0)
		w->phase = 1;
	w->writer = me;
	return true;
}

/* He goes, and passes it on to a writer if they are preferred, or to readers. */
static bool give(struct words *w, int32_t me)
{
	uint32_t n;
	if (w->writer != me)
		return false;
	w->writer = 0;
	bool slept_for = swap(&w->sleepers, 0) & SLEPT_FOR, passed_on = false;
	while (w->kind != PTHREAD_RWLOCK_PREFER_READER_NP && !passed_on && (n = load(&w->writers)) != 0)
		passed_on = change(&w->writers, n, n | PASSED_ON);
	while (!passed_on) {
		n = load(&w->readers);
		if (!change(&w->readers, n, n ^ WRITER ^ (n < READER ? 0 : WRITERS_TURN)))
			continue;
		if (n >= READER && swap(&w->phase, 0) & SLEPT_FOR)
			wake(w, &w->phase, INT_MAX);
		break;
	}
	if (slept_for)
		wake(w, &w->sleepers, 1);
	return true;
}

/* The first reader after writers. */
static bool enter(struct words *w)
{
	if (!change(&w->readers, WRITERS_TURN, READER))
		return false;
	if (swap(&w->phase, 0) & SLEPT_FOR)
		wake(w, &w->phase, INT_MAX);
	return true;
}

static bool are(struct words *w, uint32_t readers, uint32_t phase, uint32_t sleepers, int32_t writer)
{
	return load(&w->readers) == readers && w->writers == 0 && w->phase == phase && w->sleepers == sleepers &&
	       w->writer == writer;
}

static bool nobody_has(struct words *w)
{
	return are(w, WRITERS_TURN, 1, 0, 0);
}

static bool writer_has(struct words *w, int32_t me)
{
	return are(w, WRITERS_TURN | WRITER, 1, 1, me);
}

static bool reader_has(struct words *w)
{
	return are(w, READER, 0, 0, 0);
}

/* libc's calls and Go's take turns, beginning with a lock that is new. */
static bool follows(pthread_rwlock_t *l, struct words *w, int32_t me)
{
	for (int round = 0; round < 2; round++) { /* in its first state, and after writers */
		if (pthread_rwlock_wrlock(l) != 0 || !writer_has(w, me) || take(w, me) || enter(w) || !give(w, me))
			return false;
		if (!nobody_has(w) || give(w, me) || pthread_rwlock_rdlock(l) != 0 || !reader_has(w) || take(w, me))
			return false;
		if (pthread_rwlock_unlock(l) != 0 || !are(w, 0, 0, 0, 0) || !take(w, me) || !writer_has(w, me))
			return false;
		if (pthread_rwlock_wrlock(l) != EDEADLK || pthread_rwlock_trywrlock(l) != EBUSY ||
		    pthread_rwlock_tryrdlock(l) != EBUSY || pthread_rwlock_unlock(l) != 0 || !nobody_has(w))
			return false;
		if (pthread_rwlock_trywrlock(l) != 0 || !writer_has(w, me) || !give(w, me) || !take(w, me))
			return false;
		if (!writer_has(w, me) || pthread_rwlock_unlock(l) != 0 || !enter(w) || !reader_has(w))
			return false;
		if (pthread_rwlock_trywrlock(l) != EBUSY || pthread_rwlock_unlock(l) != 0 || !are(w, 0, 0, 0, 0))
			return false;
	}
	return true;
}

static void *wait_for(pthread_rwlock_t *l, int (*lock)(pthread_rwlock_t *, clockid_t, const struct timespec *))
{
	struct timespec end;
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += 2 * PATIENCE;
	return lock(l, CLOCK_MONOTONIC, &end) == 0 && pthread_rwlock_unlock(l) == 0 ? l : NULL;
}

static void *write_lock(void *l)
{
	return wait_for(l, pthread_rwlock_clockwrlock);
}

static void *read_lock(void *l)
{
	return wait_for(l, pthread_rwlock_clockrdlock);
}

/* Whether a writer and a reader who sleep for the writer here make themselves known, and get their turns. */
static bool wakes(pthread_rwlock_t *l, struct words *w, int32_t me)
{
	pthread_t reader, writer;
	void *read = NULL, *written = NULL;
	if (!take(w, me) || start_trial(&writer, write_lock, l) != 0)
		return false;
	AWAIT(load(&w->sleepers) & SLEPT_FOR);
	bool started = start_trial(&reader, read_lock, l) == 0;
	AWAIT(!started || load(&w->phase) & SLEPT_FOR);
	bool ok = load(&w->readers) == (READER | WRITER | WRITERS_TURN) && load(&w->sleepers) == (1 | SLEPT_FOR) &&
		  load(&w->phase) == (1 | SLEPT_FOR) &&
		  load(&w->writers) == (w->kind == PTHREAD_RWLOCK_PREFER_READER_NP ? 0 : 1);
	ok = give(w, me) && ok;
	pthread_join(writer, &written);
	if (started)
		pthread_join(reader, &read);
	return ok && read && written && load(&w->readers) < READER && load(&w->writers) == 0;
}

static bool holds(int kind, bool shared)
{
	int32_t me = (int32_t)syscall(SYS_gettid);
	pthread_rwlock_t l;
	struct words *w = (struct words *)&l;
	if (sizeof(l) < sizeof(*w) || unp_rwlock_init(&l, shared, kind) != 0 || !are(w, 0, 0, 0, 0))
		return false;
	if (w->kind != (uint32_t)kind || (w->shared != 0) != shared)
		return false;
	return follows(&l, w, me) && wakes(&l, w, me) && pthread_rwlock_destroy(&l) == 0;
}

int unp_rwlock_try_writers(void)
{
#ifdef __GLIBC__
	return holds(PTHREAD_RWLOCK_PREFER_READER_NP, false) && holds(PTHREAD_RWLOCK_PREFER_READER_NP, true) &&
			       holds(PTHREAD_RWLOCK_PREFER_WRITER_NP, false) &&
			       holds(PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP, true) ?
		       0 :
		       ENOTSUP;
#else
	return ENOTSUP;
#endif
}
