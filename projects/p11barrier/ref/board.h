/* Memory that all processes of a run share: what is to be done, and how far each one is. */
#ifndef BOARD_H
#define BOARD_H

#include <fcntl.h>
#include <glob.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "barrier.h"

#define BOARD_MAGIC 0x31524142 /* "BAR1" */

enum { SYSTEM_V, PTHREAD, NONE };

struct board {
	_Atomic int32_t magic;
	int32_t processes, iterations;
	int32_t respawn; /* 1: a broken barrier is mended */
	int32_t kind;	 /* of barrier */
	int32_t work;	 /* microseconds before each barrier, at most */
	_Atomic int32_t round; /* to begin with */
	_Atomic int32_t next;  /* index of the next one from outside */
	_Atomic int64_t elapsed; /* nanoseconds of the rounds that process 1 has timed */
	_Atomic int64_t timed;	 /* how many they were */
	char unused[16];
	union {
		pthread_barrier_t barrier;
		char room[64];
	};
	/* By index from 0: the last round that a process has arrived at; then, as many
	 * numbers further, the last one it has passed and found all others to have reached. */
	_Atomic int32_t reached[];
};
_Static_assert(offsetof(struct board, barrier) == 64 && offsetof(struct board, reached) == 128, "layout");

static inline size_t board_size(int processes)
{
	return sizeof(struct board) + 2 * sizeof(int32_t) * (size_t)processes;
}

static inline struct board *map_board(int fd, size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return p == MAP_FAILED ? NULL : p;
}

static inline struct board *create_board(int set, int processes, char *name, size_t room)
{
	snprintf(name, room, "/unpipc-%d-barrier-%d", (int)getpid(), set);
	int fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
	int error = fd == -1 || fchmod(fd, 0600) == -1 ? errno : posix_fallocate(fd, 0, (off_t)board_size(processes));
	struct board *b = error ? NULL : map_board(fd, board_size(processes));
	pthread_barrierattr_t attr;
	if (b) {
		pthread_barrierattr_init(&attr);
		pthread_barrierattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
		error = pthread_barrier_init(&b->barrier, &attr, (unsigned)processes);
		pthread_barrierattr_destroy(&attr);
	} else if (!error) {
		error = errno;
	}
	if (error) {
		if (fd != -1)
			shm_unlink(name);
		semctl(set, 0, IPC_RMID);
		die("%s: %s", name, strerror(error));
	}
	return b;
}

static inline struct board *open_board(int set)
{
	char pattern[64];
	struct stat st;
	struct board *b = NULL;
	glob_t files = {.gl_pathc = 0};
	snprintf(pattern, sizeof pattern, "/dev/shm/unpipc-*-barrier-%d", set);
	int fd = glob(pattern, 0, NULL, &files) == 0 ? open(files.gl_pathv[0], O_RDWR | O_CLOEXEC) : -1;
	if (fd != -1 && fstat(fd, &st) == 0 && (size_t)st.st_size >= board_size(1))
		b = map_board(fd, (size_t)st.st_size);
	if (!b || b->magic != BOARD_MAGIC || (size_t)st.st_size != board_size(b->processes))
		b = NULL;
	globfree(&files);
	return b;
}

/* Removes what a dead process has left of a set's board. */
static inline void remove_boards(int set)
{
	char pattern[64];
	glob_t files = {.gl_pathc = 0};
	snprintf(pattern, sizeof pattern, "/dev/shm/unpipc-*-barrier-%d", set);
	glob(pattern, 0, NULL, &files);
	for (size_t i = 0; i < files.gl_pathc; i++)
		unlink(files.gl_pathv[i]);
	globfree(&files);
}

#endif
