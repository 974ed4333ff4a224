/* Messages of three sources in a queue, and the semaphores that count them: 0 to 2 how
 * many there are of each, 3 a mutex. Only that has SEM_UNDO. */
#ifndef EVENT_H
#define EVENT_H

#include <sys/sem.h>

#include "../../../internal/lecture/ref/queue.h"

#define SCOPE "lecture-9" /* of the marks of queue and semaphores */

enum { SOURCES = 3, MAX_LINE = 512 - sizeof(long) - sizeof(int) };

struct message {
	long type;
	struct body {
		int size;
		char text[MAX_LINE];
	} body;
};

static int sems = -1;
static struct mark sems_mark;

/* Waits until the maker has given the semaphores their values; false if they are gone. */
static inline bool initialized(void)
{
	struct semid_ds st;

	while (!semctl(sems, 0, IPC_STAT, &st)) {
		if (st.sem_otime)
			return true;
		usleep(1000);
	}
	return false;
}

#endif
