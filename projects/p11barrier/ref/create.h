/* Making the set and the board. */
#ifndef CREATE_H
#define CREATE_H

#include "display.h"

static int set = -1;
static char board_name[64];
static struct board *board;

/* The set of an owner that has died is removed. */
static void remove_dead(void)
{
	struct semid_ds ds;
	struct ops lock = {.n = 0};
	int old = semget(cfg.key, 0, 0);
	if (old == -1 && errno == ENOENT)
		return;
	if (old == -1 || semctl(old, 0, IPC_STAT, (union semun){.buf = &ds}) == -1)
		die("semget 0x%08x: %s", (unsigned)cfg.key, strerror(errno));
	if (ds.sem_nsems != SEMAPHORES)
		die("semaphore set 0x%08x (semid %d): %lu semaphores, not a barrier's", (unsigned)cfg.key,
			old, (unsigned long)ds.sem_nsems);
	append(&lock, OWNER, 0, IPC_NOWAIT);
	append(&lock, OWNER, 1, SEM_UNDO);
	if (perform(old, &lock) == -1 && errno == EAGAIN)
		die("semaphore set 0x%08x (semid %d): the barrier of process %d", (unsigned)cfg.key, old,
			semctl(old, OWNER, GETPID));
	semctl(old, 0, IPC_RMID);
	remove_boards(old);
}

static void make_board(void)
{
	board = create_board(set, cfg.processes, board_name, sizeof board_name);
	board->processes = cfg.processes;
	board->iterations = cfg.iterations;
	board->respawn = cfg.respawn;
	board->kind = cfg.kind;
	board->work = cfg.work * 1000;
	board->round = 1;
	board->next = cfg.processes - cfg.outside;
	board->magic = BOARD_MAGIC;
}

static void create(void)
{
	struct ops o = {.n = 0};
	arm(&o);
	append(&o, OWNER, 1, SEM_UNDO);
	append(&o, PLACES, cfg.processes, 0);
	append(&o, turn(RING, 1), cfg.processes, 0);
	append(&o, turn(MISSING, 1), cfg.processes, 0);
	do {
		if (cfg.key != IPC_PRIVATE)
			remove_dead();
		set = semget(cfg.key, SEMAPHORES, IPC_CREAT | IPC_EXCL | 0600);
		if (set == -1 && errno != EEXIST)
			die("semget 0x%08x: %s", (unsigned)cfg.key, strerror(errno));
		if (set == -1)
			continue;
		make_board(); /* before anybody can join */
		if (perform(set, &o) == 0)
			return;
		shm_unlink(board_name);
	} while (set == -1 || errno == EIDRM || errno == EINVAL);
	die("semop: %s", strerror(errno));
}

#endif
