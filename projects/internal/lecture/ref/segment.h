/* System V shared memory of one program, as segment.go of package lecture has it. */
#ifndef SEGMENT_H
#define SEGMENT_H

#include <sys/shm.h>

#include "../../marks/ref/mark.h"
#include "lecture.h"

static struct {
	int id; /* -1: not made yet */
	struct mark mark;
} segment = {.id = -1};

/* To be called, or given to at_end, by who has made it. */
static inline void remove_segment(void)
{
	if (segment.id != -1)
		shmctl(segment.id, IPC_RMID, NULL);
	unmark(&segment.mark);
}

/* Makes and attaches the memory of a key. What a killed process has left, attached by
 * nobody, is removed first; what is in use is an error. It is removed at the end. */
static inline void *make_segment(const char *scope, key_t key, size_t bytes)
{
	const char *name = key_text(key);
	struct shmid_ds st;
	void *memory;
	int old;

	claim(&segment.mark, scope, "segment", name);
	at_end(remove_segment);
	hold_end(SIG_BLOCK);
	segment.id = shmget(key, bytes, IPC_CREAT | IPC_EXCL | 0600);
	if (segment.id == -1 && errno == EEXIST) {
		old = shmget(key, 0, 0);
		if (old != -1 && !shmctl(old, IPC_STAT, &st) && st.shm_nattch > 0)
			die("shared memory %s (shmid %d): in use", name, old);
		if (old != -1)
			shmctl(old, IPC_RMID, NULL);
		segment.id = shmget(key, bytes, IPC_CREAT | IPC_EXCL | 0600);
	}
	if (segment.id == -1)
		die("shmget key %s: %s", name, strerror(errno));
	hold_end(SIG_UNBLOCK);
	memory = shmat(segment.id, NULL, 0);
	if (memory == (void *)-1)
		die("shmat shmid %d: %s", segment.id, strerror(errno));
	record(&segment.mark, segment.id);
	return memory;
}

#endif
