#include "unp_pthread.h"

#include "trial.h"
#include "waiter.h"

#include <stdlib.h>

enum { WORDS = sizeof(pthread_cond_t) / sizeof(cond_word), WAITERS = 2 };

/* All but the condition is protected by the mutex. */
struct trial {
	pthread_cond_t cond, changed;	/* that on trial; one of these numbers has changed */
	pthread_mutex_t mutex;
	struct timespec end;	/* of everybody's patience */
	int came, left;		/* threads that have begun to wait, and that have ended it */
	int wanted;		/* to leave */
	bool failed;
	bool counts[WORDS];	/* those words that may be the one that counts who waits */
};

/* Words that do not say that so many wait are not the one. */
static void look(struct trial *t, int n, int flags)
{
	for (size_t i = 0; i < WORDS; i++)
		if (__atomic_load_n((cond_word *)&t->cond + i, __ATOMIC_RELAXED) != (cond_word)(n * WAITER + flags))
			t->counts[i] = false;
}

static void wait_at(pthread_cond_t *c, struct trial *t)
{
	if (pthread_cond_clockwait(c, &t->mutex, CLOCK_MONOTONIC, &t->end) != 0)
		t->failed = true;
}

static void *wait_for_turn(void *arg)
{
	struct trial *t = arg;

	pthread_mutex_lock(&t->mutex);
	t->came++;
	pthread_cond_signal(&t->changed);
	while (t->left == t->wanted && !t->failed)
		wait_at(&t->cond, t);
	t->left++;
	pthread_cond_signal(&t->changed);
	pthread_mutex_unlock(&t->mutex);
	return NULL;
}

static void become(struct trial *t, const int *number, int n)
{
	while (*number != n && !t->failed)
		wait_at(&t->changed, t);
}

/* Whether neither call does anything, as nobody waits. */
static bool do_nothing(pthread_cond_t *c)
{
	pthread_cond_t before;

	memcpy(&before, c, sizeof(before));
	return pthread_cond_signal(c) == 0 && pthread_cond_broadcast(c) == 0 && memcmp(&before, c, sizeof(before)) == 0;
}

/* One after the other comes to wait, and is woken; each change is seen as soon as the mutex is free. */
static void come_and_go(struct trial *t, int flags)
{
	struct timespec past = { 0 };
	pthread_t thread[WAITERS];
	int n = 0;

	look(t, 0, flags);
	while (!t->failed && n < WAITERS && start_trial(&thread[n], wait_for_turn, t) == 0) {
		become(t, &t->came, ++n);
		look(t, n, flags);
	}
	t->failed |= n < WAITERS;
	while (!t->failed && t->wanted < WAITERS) {
		if (++t->wanted < WAITERS)
			pthread_cond_signal(&t->cond);
		else
			pthread_cond_broadcast(&t->cond);
		become(t, &t->left, t->wanted);
		look(t, WAITERS - t->wanted, flags);
	}
	pthread_cond_broadcast(&t->cond);
	pthread_mutex_unlock(&t->mutex);
	while (n > 0)
		pthread_join(thread[--n], NULL);
	pthread_mutex_lock(&t->mutex);
	t->failed |= pthread_cond_timedwait(&t->cond, &t->mutex, &past) != ETIMEDOUT; /* counts nobody any more */
	look(t, 0, flags);
}

/* A trial of a condition with these flags, which are in the low bits of the word. */
static bool holds(struct trial *t, int flags)
{
	t->came = t->left = t->wanted = 0;
	if (unp_cond_init(&t->cond, flags & COND_SHARED, flags & COND_MONOTONIC ? CLOCK_MONOTONIC : CLOCK_REALTIME) != 0)
		return false;
	pthread_mutex_lock(&t->mutex);
	bool ok = do_nothing(&t->cond);
	come_and_go(t, flags);
	pthread_mutex_unlock(&t->mutex);
	ok = do_nothing(&t->cond) && ok && !t->failed;
	return pthread_cond_destroy(&t->cond) == 0 && ok;
}

int unp_cond_try_layout(size_t *offset)
{
#ifdef __GLIBC__
	int found = 0;
	struct trial *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return ENOTSUP;
	*t = (struct trial){ .changed = PTHREAD_COND_INITIALIZER, .mutex = PTHREAD_MUTEX_INITIALIZER };
	memset(t->counts, true, sizeof(t->counts));
	clock_gettime(CLOCK_MONOTONIC, &t->end);
	t->end.tv_sec += PATIENCE;
	bool ok = holds(t, 0) && holds(t, COND_SHARED | COND_MONOTONIC);
	for (size_t i = 0; i < WORDS; i++)
		if (t->counts[i]) {
			*offset = i * sizeof(cond_word);
			found++;
		}
	free(t);
	return ok && found == 1 ? 0 : ENOTSUP;
#else
	return ENOTSUP;
#endif
}
