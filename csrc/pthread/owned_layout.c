#include "unp_pthread_owner.h"

#include "mutex_words.h"

#include <linux/futex.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What Go does, where the owner is noted: lock one that is free, or its own that counts. */
static bool take(pthread_mutex_t *m, int32_t me, bool counts)
{
	struct words *w = (struct words *)m;
	if (w->owner == me) {
		w->count += counts;
		return counts;
	}
	uint32_t expected = 0;
	if (!__atomic_compare_exchange_n(&w->lock, &expected, HELD, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return false;
	if (counts)
		w->count = 1;
	w->owner = me;
	w->users++;
	return true;
}

static bool give(pthread_mutex_t *m, int32_t me, bool counts)
{
	struct words *w = (struct words *)m;
	if (w->owner != me)
		return false;
	if (counts && --w->count > 0)
		return true;
	w->owner = 0;
	w->users--;
	if (__atomic_exchange_n(&w->lock, 0, __ATOMIC_SEQ_CST) == CONTENDED)
		syscall(SYS_futex, m, w->kind & SHARED ? FUTEX_WAKE : FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	return true;
}

struct trial {
	pthread_mutex_t m;
	bool refused, locked;
};

/* The second thread finds the mutex locked, by another, and waits for it. */
static void *intrude(void *arg)
{
	struct trial *t = arg;
	struct timespec end;
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += 2 * PATIENCE;
	t->refused = pthread_mutex_trylock(&t->m) == EBUSY && pthread_mutex_unlock(&t->m) == EPERM;
	t->locked = pthread_mutex_clocklock(&t->m, CLOCK_MONOTONIC, &end) == 0 && pthread_mutex_unlock(&t->m) == 0;
	return NULL;
}

/* Whether another thread keeps out of a mutex that is taken here, until it is given back here. */
static bool keeps_out(struct trial *t, int32_t me, bool counts)
{
	pthread_t thread;
	if (!take(&t->m, me, counts) || start_trial(&thread, intrude, t) != 0)
		return false;
	bool ok = becomes(&t->m, CONTENDED) && are(&t->m, CONTENDED, me, 1);
	ok = give(&t->m, me, counts) && ok;
	pthread_join(thread, NULL);
	return ok && t->refused && t->locked && are(&t->m, 0, 0, 0);
}

/* libc's calls and Go's take turns; again is what the owner gets who locks again. */
static bool follows(pthread_mutex_t *m, int32_t me, bool counts)
{
	int again = counts ? 0 : EDEADLK;
	uint32_t once = counts, twice = 2 * once;

	if (!are(m, 0, 0, 0) || pthread_mutex_lock(m) != 0 || !are(m, HELD, me, 1) || words(m).count != once)
		return false;
	if (pthread_mutex_lock(m) != again || take(m, me, counts) != counts || !are(m, HELD, me, 1))
		return false;
	if (counts && (words(m).count != 3 || pthread_mutex_unlock(m) != 0 || !give(m, me, true)))
		return false;
	if (words(m).count != once || !give(m, me, counts) || !are(m, 0, 0, 0) || words(m).count != 0)
		return false;
	if (pthread_mutex_unlock(m) != EPERM || !take(m, me, counts) || pthread_mutex_lock(m) != again)
		return false;
	if (words(m).count != twice || (counts && pthread_mutex_unlock(m) != 0) || pthread_mutex_destroy(m) != EBUSY)
		return false;
	/* A wait that is over at once unlocks, locks, and takes others to be there. */
	pthread_cond_t c = PTHREAD_COND_INITIALIZER;
	struct timespec past = { 0 };
	return pthread_cond_timedwait(&c, m, &past) == ETIMEDOUT && are(m, CONTENDED, me, 1) &&
	       words(m).count == once && give(m, me, counts) && are(m, 0, 0, 0) && take(m, me, counts) &&
	       pthread_mutex_unlock(m) == 0 && are(m, 0, 0, 0) && words(m).count == 0;
}

static bool holds(struct trial *t)
{
	int32_t me = (int32_t)syscall(SYS_gettid);
	for (int shared = 0; shared <= SHARED; shared += SHARED) {
		for (int counts = 0; counts < 2; counts++) {
			int type = counts ? PTHREAD_MUTEX_RECURSIVE : PTHREAD_MUTEX_ERRORCHECK;
			if (!init(&t->m, type, shared | (counts ? 1 : 2)) || !follows(&t->m, me, counts) ||
			    !keeps_out(t, me, counts) || pthread_mutex_destroy(&t->m) != 0)
				return false;
		}
	}
	return true;
}

int unp_mutex_try_owned(void)
{
#ifdef __GLIBC__
	if (sizeof(pthread_mutex_t) < sizeof(struct words))
		return ENOTSUP;
	struct trial *t = calloc(1, sizeof(*t));
	bool ok = t != NULL && holds(t);
	free(t);
	return ok ? 0 : ENOTSUP;
#else
	return ENOTSUP;
#endif
}
