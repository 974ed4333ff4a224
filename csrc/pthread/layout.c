#include "unp_pthread.h"

#include "mutex_words.h"

#include <linux/futex.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What Go does. */
static bool take(pthread_mutex_t *m)
{
	struct words *w = (struct words *)m;
	uint32_t expected = 0;
	if (!__atomic_compare_exchange_n(&w->lock, &expected, HELD, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return false;
	w->users++;
	return true;
}

static bool give(pthread_mutex_t *m)
{
	struct words *w = (struct words *)m;
	w->owner = 0;
	w->users--;
	if (__atomic_exchange_n(&w->lock, 0, __ATOMIC_SEQ_CST) != CONTENDED)
		return false;
	syscall(SYS_futex, m, w->kind & SHARED ? FUTEX_WAKE : FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	return true;
}

/* libc's calls and Go's take turns at a normal mutex. */
static bool follows(pthread_mutex_t *m, int32_t me)
{
	if (!are(m, 0, 0, 0) || pthread_mutex_lock(m) != 0 || !are(m, HELD, me, 1) || take(m))
		return false;
	if (give(m) || pthread_mutex_trylock(m) != 0 || pthread_mutex_unlock(m) != 0 || !are(m, 0, 0, 0))
		return false;
	if (!take(m) || pthread_mutex_trylock(m) != EBUSY || pthread_mutex_destroy(m) != EBUSY)
		return false;
	/* A wait that is over at once unlocks, locks, and takes others to be there. */
	pthread_cond_t c = PTHREAD_COND_INITIALIZER;
	struct timespec past = { 0 };
	return pthread_cond_timedwait(&c, m, &past) == ETIMEDOUT && are(m, CONTENDED, me, 1) && give(m) &&
	       are(m, 0, 0, 0) && take(m) && pthread_mutex_unlock(m) == 0 && are(m, 0, 0, 0);
}

/* The second thread of a trial locks both. */
struct trial {
	pthread_mutex_t normal, robust;
	bool locked;
};

static void *lock_both(void *arg)
{
	struct trial *t = arg;
	struct timespec end;
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += 2 * PATIENCE;
	t->locked = pthread_mutex_clocklock(&t->normal, CLOCK_MONOTONIC, &end) == 0 &&
		    pthread_mutex_unlock(&t->normal) == 0 &&
		    pthread_mutex_clocklock(&t->robust, CLOCK_MONOTONIC, &end) == 0 &&
		    pthread_mutex_unlock(&t->robust) == 0;
	return NULL;
}

/* Whether a sleeper makes himself known, and is woken. Both are held by this thread. */
static bool tells_sleepers(struct trial *t, uint32_t me)
{
	pthread_t thread;
	if (start_trial(&thread, lock_both, t) != 0) {
		give(&t->normal);
		pthread_mutex_unlock(&t->robust);
		return false;
	}
	bool ok = becomes(&t->normal, CONTENDED);
	ok = give(&t->normal) && ok;
	ok = ok && becomes(&t->robust, me | FUTEX_WAITERS) && are(&t->robust, me | FUTEX_WAITERS, (int32_t)me, 1);
	pthread_mutex_unlock(&t->robust);
	pthread_join(thread, NULL);
	return ok && t->locked && are(&t->normal, 0, 0, 0);
}

static bool holds(struct trial *t)
{
	int32_t me = (int32_t)syscall(SYS_gettid);
	pthread_mutex_t *shared = &t->normal, *robust = &t->robust;
	if (!init(shared, PTHREAD_MUTEX_NORMAL, SHARED) || !follows(shared, me) || pthread_mutex_destroy(shared) != 0)
		return false;
	if (!init(&t->normal, PTHREAD_MUTEX_NORMAL, 0) || !follows(&t->normal, me) || !init(robust, PTHREAD_MUTEX_NORMAL, ROBUST))
		return false;
	if (!take(&t->normal) || pthread_mutex_lock(robust) != 0 || !are(robust, (uint32_t)me, me, 1))
		return false;
	return tells_sleepers(t, (uint32_t)me) && pthread_mutex_destroy(&t->normal) == 0 &&
	       pthread_mutex_destroy(robust) == 0;
}

int unp_mutex_try_layout(void)
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
