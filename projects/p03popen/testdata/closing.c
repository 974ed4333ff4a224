/*
 * A command that another thread starts while mypclose is at work. mypclose has taken
 * the stream out of its list and sleeps, because the buffer does not fit into the full
 * pipe. If the later command got the descriptor, the first would never see end of file.
 */
#include "mypopen.h"

#include <sched.h>
#include <string.h>

static void *close_it(void *f)
{
	printf("status %d\n", mypclose(f) >> 8);
	return NULL;
}

int main(void)
{
	static const char bytes[4096];
	pthread_t closing;
	int go[2];

	alarm(30); /* ends a wait for ever */
	if (pipe(go) != 0 || go[0] != 3)
		return 2;
	FILE *full = mypopen("read go <&3; cat >/dev/null; exit 7", "w");
	fcntl(fileno(full), F_SETFL, O_NONBLOCK);
	while (write(fileno(full), bytes, sizeof bytes) > 0)
		;
	fcntl(fileno(full), F_SETFL, 0);
	fputs("more", full);
	pthread_create(&closing, NULL, close_it, full);
	bool listed = true;
	while (listed) {
		sched_yield();
		pthread_mutex_lock(&mypopen_lock);
		listed = mypopen_streams != NULL;
		pthread_mutex_unlock(&mypopen_lock);
	}
	FILE *later = mypopen("cat", "w");
	if (write(go[1], "go\n", 3) != 3)
		return 2;
	pthread_join(closing, NULL);
	printf("status %d\n", mypclose(later) >> 8);
	return 0;
}
