#include "unp_pthread.h"

#include "trial.h"

enum { WRITERS_TURN = 1, WRITER = 2, READER = 8, FLAGS = READER - 1 };

typedef uint32_t __attribute__((may_alias)) word;

static uint32_t is(pthread_rwlock_t *l)
{
	return __atomic_load_n((word *)l, __ATOMIC_ACQUIRE);
}

/* What Go does: one reader more, or one less, where there is nobody else. */
static bool change(pthread_rwlock_t *l, int by)
{
	uint32_t readers = is(l);
	return !(readers & FLAGS) && (by > 0 || readers >= READER) &&
	       __atomic_compare_exchange_n((word *)l, &readers, readers + by * READER, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

/* libc's calls and Go's take turns. */
static bool follows(pthread_rwlock_t *l)
{
	if (is(l) != 0 || pthread_rwlock_rdlock(l) != 0 || is(l) != READER || !change(l, 1))
		return false;
	if (pthread_rwlock_trywrlock(l) != EBUSY || pthread_rwlock_unlock(l) != 0 || is(l) != READER)
		return false;
	if (pthread_rwlock_trywrlock(l) != EBUSY || !change(l, -1) || change(l, -1) || is(l) != 0)
		return false;
	return pthread_rwlock_trywrlock(l) == 0 && is(l) == (WRITERS_TURN | WRITER) && !change(l, 1) && !change(l, -1) &&
	       pthread_rwlock_unlock(l) == 0 && pthread_rwlock_rdlock(l) == 0 && is(l) == READER && change(l, -1);
}

static void *write_lock(void *l)
{
	struct timespec end;
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += 2 * PATIENCE;
	return pthread_rwlock_clockwrlock(l, CLOCK_MONOTONIC, &end) == 0 && pthread_rwlock_unlock(l) == 0 ? l : NULL;
}

/* Whether a writer who waits for this thread, a reader, makes himself known, and is woken. */
static bool tells_writers(pthread_rwlock_t *l)
{
	pthread_t thread;
	if (start_trial(&thread, write_lock, l) != 0) {
		pthread_rwlock_unlock(l);
		return false;
	}
	AWAIT(is(l) & WRITER);
	bool ok = is(l) == (READER | WRITER) && !change(l, 1) && !change(l, -1);
	void *locked;
	pthread_rwlock_unlock(l);
	pthread_join(thread, &locked);
	return ok && locked;
}

static bool holds(int kind, bool shared)
{
	pthread_rwlock_t l;
	if (sizeof(l) < sizeof(word) || unp_rwlock_init(&l, shared, kind) != 0 || !follows(&l))
		return false;
	return change(&l, 1) && tells_writers(&l) && pthread_rwlock_destroy(&l) == 0;
}

int unp_rwlock_try_layout(void)
{
#ifdef __GLIBC__
	return holds(PTHREAD_RWLOCK_PREFER_READER_NP, false) && holds(PTHREAD_RWLOCK_PREFER_READER_NP, true) &&
			       holds(PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP, true) ?
		       0 :
		       ENOTSUP;
#else
	return ENOTSUP;
#endif
}
