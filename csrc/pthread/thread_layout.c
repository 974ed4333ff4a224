#include "unp_pthread_owner.h"

#include "trial.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

struct places {
	size_t tid, robust;
};

/* Where the calling thread has them; its number must be at one place only, before the list. */
static bool find(struct places *p)
{
	typedef uint32_t __attribute__((may_alias)) word;
	uint32_t me = (uint32_t)syscall(SYS_gettid);
	uintptr_t self = (uintptr_t)pthread_self();
	struct robust_list_head *list;
	size_t length, seen = 0;

	if (syscall(SYS_get_robust_list, 0, &list, &length) != 0 || length != sizeof(*list))
		return false;
	p->robust = (uintptr_t)list - self;
	if ((uintptr_t)list <= self || p->robust > 4096 || self % sizeof(void *) != 0)
		return false;
	for (size_t at = 0; at < p->robust; at += sizeof(word)) {
		if (*(word *)(self + at) == me) {
			p->tid = at;
			seen++;
		}
	}
	return seen == 1;
}

static void *find_in_thread(void *p)
{
	return find(p) ? p : NULL;
}

int unp_thread_try_layout(size_t *tid, size_t *robust)
{
#ifdef __GLIBC__
	struct places here, there[2];
	bool ok = find(&here);
	for (int i = 0; ok && i < 2; i++) {
		pthread_t thread;
		void *found = NULL;
		if (start_trial(&thread, find_in_thread, &there[i]) != 0)
			return ENOTSUP;
		pthread_join(thread, &found);
		ok = found && there[i].tid == here.tid && there[i].robust == here.robust;
	}
	*tid = here.tid;
	*robust = here.robust;
	return ok ? 0 : ENOTSUP;
#else
	(void)tid, (void)robust;
	return ENOTSUP;
#endif
}
