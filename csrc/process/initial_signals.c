#include "unp_process.h"

#include <signal.h>

static uint64_t initial_ignored, initial_blocked;

/* A constructor runs before the Go runtime takes the signals over. */
__attribute__((constructor)) static void remember(void)
{
	struct sigaction sa;
	sigset_t mask;

	sigprocmask(SIG_SETMASK, NULL, &mask);
	for (int s = 1; s <= 64; s++) {
		if (sigaction(s, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN)
			initial_ignored |= (uint64_t)1 << (s - 1);
		if (sigismember(&mask, s) == 1)
			initial_blocked |= (uint64_t)1 << (s - 1);
	}
}

void unp_initial_signals(uint64_t *ignored, uint64_t *blocked)
{
	*ignored = initial_ignored;
	*blocked = initial_blocked;
}
