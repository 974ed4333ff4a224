/* System V shared memory of one program, as segment.go of package lecture has it. */
#ifndef SEGMENT_H
#define SEGMENT_H

#include <sys/shm.h>

#include "lecture.h"

/* Makes and attaches the memory of a key. What a killed process has left, attached by
 * nobody, is removed first; what is in use is an error. */
static inline void *make_segment(key_t key, size_t bytes, int *id)
{
	struct shmid_ds st;
	void *memory;

	while ((*id = shmget(key, bytes, IPC_CREAT | IPC_EXCL | 0600)) == -1) {
		if (errno != EEXIST || ((*id = shmget(key, 0, 0)) == -1 && errno != ENOENT))
			die("shmget key 0x%08x: %s", (unsigned)key, strerror(errno));
		if (*id == -1)
			continue;
		if (!shmctl(*id, IPC_STAT, &st) && st.shm_nattch > 0)
			die("shared memory 0x%08x (shmid %d): in use", (unsigned)key, *id);
		shmctl(*id, IPC_RMID, NULL);
	}
	memory = shmat(*id, NULL, 0);
	if (memory == (void *)-1)
		die("shmat shmid %d: %s", *id, strerror(errno));
	return memory;
}

#endif
