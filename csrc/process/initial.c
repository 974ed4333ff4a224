#include "unp_process.h"

#include <signal.h>
#include <sys/resource.h>

static struct unp_initial initial;

/* A constructor runs before the Go runtime takes over signals and limits. */
__attribute__((constructor)) static void remember(void)
{
	struct sigaction sa;
	struct rlimit files;
	sigset_t mask;

	sigemptyset(&mask);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	for (int s = 1; s <= 64; s++) {
		if (sigaction(s, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN)
			initial.ignored |= (uint64_t)1 << (s - 1);
		if (sigismember(&mask, s) == 1)
			initial.blocked |= (uint64_t)1 << (s - 1);
	}
	if (getrlimit(RLIMIT_NOFILE, &files) == 0)
		initial.nofile = files.rlim_cur;
}

void unp_initial(struct unp_initial *in)
{
	*in = initial;
}
