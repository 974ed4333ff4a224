#include "unp_sysvsem.h"

#include <sys/ipc.h>
#include <sys/sem.h>

union semun {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
	struct seminfo *info;
};

static void copy(int id, const struct semid_ds *ds, struct unp_semset_stat *s)
{
	*s = (struct unp_semset_stat){
		.id = id,
		.key = ds->sem_perm.__key,
		.uid = ds->sem_perm.uid,
		.gid = ds->sem_perm.gid,
		.cuid = ds->sem_perm.cuid,
		.cgid = ds->sem_perm.cgid,
		.mode = ds->sem_perm.mode & 0777,
		.otime = ds->sem_otime,
		.ctime = ds->sem_ctime,
		.nsems = ds->sem_nsems,
	};
}

int unp_semset_stat(int semid, struct unp_semset_stat *stat)
{
	struct semid_ds ds;
	if (semctl(semid, 0, IPC_STAT, (union semun){.buf = &ds}) == -1)
		return errno;
	copy(semid, &ds, stat);
	return 0;
}

int unp_semset_stat_index(int index, struct unp_semset_stat *stat)
{
	struct semid_ds ds;
	int id = semctl(index, 0, SEM_STAT_ANY, (union semun){.buf = &ds});
	if (id == -1)
		return errno;
	copy(id, &ds, stat);
	return 0;
}

int unp_semset_set(int semid, const struct unp_semset_stat *stat)
{
	struct semid_ds ds = {.sem_nsems = 0};
	ds.sem_perm.uid = stat->uid;
	ds.sem_perm.gid = stat->gid;
	ds.sem_perm.mode = (unsigned short)stat->mode;
	return semctl(semid, 0, IPC_SET, (union semun){.buf = &ds}) == -1 ? errno : 0;
}

int unp_semset_info(struct unp_semset_info *info)
{
	struct seminfo limits, use;
	if (semctl(0, 0, IPC_INFO, (union semun){.info = &limits}) == -1)
		return errno;
	int highest = semctl(0, 0, SEM_INFO, (union semun){.info = &use});
	if (highest == -1)
		return errno;
	*info = (struct unp_semset_info){
		.semmsl = limits.semmsl,
		.semmns = limits.semmns,
		.semopm = limits.semopm,
		.semmni = limits.semmni,
		.semvmx = limits.semvmx,
		.semaem = limits.semaem,
		.sets = use.semusz,
		.semaphores = use.semaem,
		.highest = highest,
	};
	return 0;
}
