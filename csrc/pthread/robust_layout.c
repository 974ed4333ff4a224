#include "unp_pthread_owner.h"

#include "mutex_words.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BARRIER() __asm__ volatile("" ::: "memory")

/* The words of a robust mutex, which may be looked at beside libc's own type. */
struct __attribute__((may_alias)) entry {
	struct words words;
	uint32_t unused;
	uintptr_t prev, next;
};

/* A thread's list. */
struct __attribute__((may_alias)) list {
	uintptr_t next;
	long distance; /* from an entry's next to its lock */
	uintptr_t pending;
};

static uintptr_t *at(uintptr_t address)
{
	return (uintptr_t *)(address & ~(uintptr_t)1); /* a flag of mutexes with a protocol */
}

/* What Go does. The kernel looks at the list when the thread dies, wherever that is. */
static bool take(struct entry *m, struct list *l, int32_t me)
{
	uint32_t expected = 0;
	l->pending = (uintptr_t)&m->next;
	BARRIER();
	bool free = __atomic_compare_exchange_n(&m->words.lock, &expected, (uint32_t)me, false, __ATOMIC_SEQ_CST,
						__ATOMIC_SEQ_CST);
	BARRIER();
	if (free) {
		m->words.count = 1;
		at(l->next)[-1] = (uintptr_t)&m->next;
		m->next = l->next;
		m->prev = (uintptr_t)l;
		BARRIER();
		l->next = (uintptr_t)&m->next;
		BARRIER();
	}
	l->pending = 0;
	if (free) {
		m->words.owner = me;
		m->words.users++;
	}
	return free;
}

static bool give(struct entry *m, struct list *l, int32_t me)
{
	if (m->words.owner != me || m->words.count != 1 || (m->words.lock & FUTEX_TID_MASK) != (uint32_t)me)
		return false;
	l->pending = (uintptr_t)&m->next;
	BARRIER();
	at(m->next)[-1] = m->prev;
	*at(m->prev) = m->next;
	BARRIER();
	m->prev = 0;
	m->next = 0;
	m->words.owner = 0;
	m->words.users--;
	if (__atomic_exchange_n(&m->words.lock, 0, __ATOMIC_SEQ_CST) & FUTEX_WAITERS)
		syscall(SYS_futex, m, FUTEX_WAKE, 1, NULL, NULL, 0);
	BARRIER();
	l->pending = 0;
	return true;
}

struct trial {
	pthread_mutex_t a, b;
	size_t robust;
	int type;
	bool holds;
};

static struct entry *entry(pthread_mutex_t *m)
{
	return (struct entry *)m;
}

/* Whether these are all that the thread holds, as its list has them. */
static bool has(struct list *l, struct entry *first, struct entry *second)
{
	uintptr_t end = (uintptr_t)l, *prev = (uintptr_t *)l - 1, next = second ? (uintptr_t)&second->next : end;
	if (l->pending != 0)
		return false;
	if (first == NULL)
		return l->next == end && *prev == end;
	if (l->next != (uintptr_t)&first->next || first->next != next || first->prev != end)
		return false;
	if (second == NULL)
		return *prev == (uintptr_t)&first->next;
	return second->next == end && second->prev == (uintptr_t)&first->next && *prev == (uintptr_t)&second->next;
}

static bool mine(pthread_mutex_t *m, int32_t me)
{
	return are(m, (uint32_t)me, me, 1) && words(m).count == 1;
}

static bool nobodys(pthread_mutex_t *m)
{
	return are(m, 0, 0, 0) && entry(m)->prev == 0 && entry(m)->next == 0;
}

/* libc's calls and Go's take turns at two mutexes, which are unlocked in any order. */
static bool follows(struct trial *t, struct list *l, int32_t me)
{
	pthread_mutex_t *a = &t->a, *b = &t->b;
	struct entry *first = entry(a), *second = entry(b);

	if (!has(l, NULL, NULL) || pthread_mutex_lock(a) != 0 || !mine(a, me) || !has(l, first, NULL) || take(first, l, me))
		return false;
	if (!take(second, l, me) || !mine(b, me) || !has(l, second, first) || pthread_mutex_unlock(a) != 0)
		return false;
	if (!nobodys(a) || !has(l, second, NULL) || !give(second, l, me) || !nobodys(b) || !has(l, NULL, NULL))
		return false;
	if (give(second, l, me) || !take(first, l, me) || pthread_mutex_trylock(b) != 0 || !has(l, second, first))
		return false;
	if (!give(first, l, me) || !nobodys(a) || !has(l, second, NULL) || !take(first, l, me) || !has(l, first, second))
		return false;
	if (!give(second, l, me) || pthread_mutex_unlock(a) != 0 || !has(l, NULL, NULL) || !nobodys(a) || !nobodys(b))
		return false;
	/* A wait that is over at once unlocks, locks, and takes others to be there. */
	pthread_cond_t c = PTHREAD_COND_INITIALIZER;
	struct timespec past = { 0 };
	return take(first, l, me) && pthread_cond_timedwait(&c, a, &past) == ETIMEDOUT &&
	       are(a, (uint32_t)me | FUTEX_WAITERS, me, 1) && words(a).count == 1 && has(l, first, NULL) &&
	       give(first, l, me) && nobodys(a) && has(l, NULL, NULL);
}

/* One who locks again, as such a mutex lets him. */
static bool locks_again(struct trial *t, struct list *l, int32_t me)
{
	pthread_mutex_t *a = &t->a;

	if (!take(entry(a), l, me))
		return false;
	if (t->type == PTHREAD_MUTEX_ERRORCHECK && pthread_mutex_lock(a) != EDEADLK)
		return false;
	if (t->type == PTHREAD_MUTEX_RECURSIVE && (pthread_mutex_lock(a) != 0 || words(a).count != 2 ||
						   give(entry(a), l, me) || pthread_mutex_unlock(a) != 0))
		return false;
	return mine(a, me) && has(l, entry(a), NULL) && give(entry(a), l, me) && nobodys(a);
}

/* A thread of its own has no mutex yet. It dies with two, one of which it has not got quite. */
static void *die(void *arg)
{
	struct trial *t = arg;
	struct list *l = (struct list *)((uintptr_t)pthread_self() + t->robust);
	int32_t me = (int32_t)syscall(SYS_gettid);
	size_t length;
	void *told;

	if (syscall(SYS_get_robust_list, 0, &told, &length) != 0 || told != (void *)l ||
	    l->distance != -(long)offsetof(struct entry, next))
		return NULL;
	t->holds = init(&t->a, t->type, ROBUST | t->type) && init(&t->b, t->type, ROBUST | t->type) &&
		   follows(t, l, me) && locks_again(t, l, me) && take(entry(&t->a), l, me);
	if (t->holds) {
		l->pending = (uintptr_t)&entry(&t->b)->next;
		BARRIER();
		__atomic_store_n(&entry(&t->b)->words.lock, (uint32_t)me, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

/* Whether a dead thread's mutex is found to be that, and is a mutex again. */
static bool outlives(pthread_mutex_t *m)
{
	return pthread_mutex_trylock(m) == EOWNERDEAD && pthread_mutex_consistent(m) == 0 && pthread_mutex_unlock(m) == 0 &&
	       words(m).lock == 0 && words(m).owner == 0 && pthread_mutex_destroy(m) == 0;
}

int unp_mutex_try_robust(size_t robust)
{
#ifdef __GLIBC__
	const int types[] = { PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_ERRORCHECK };
	bool ok = sizeof(pthread_mutex_t) >= sizeof(struct entry);
	for (int i = 0; ok && i < 3; i++) {
		struct trial t = { .robust = robust, .type = types[i] };
		pthread_t thread;
		if (start_trial(&thread, die, &t) != 0)
			return ENOTSUP;
		pthread_join(thread, NULL); /* which has no list any more */
		ok = t.holds && outlives(&t.a) && outlives(&t.b);
	}
	return ok ? 0 : ENOTSUP;
#else
	(void)robust;
	return ENOTSUP;
#endif
}
