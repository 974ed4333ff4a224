#include "unp_sysvshm.h"

#include <sys/ipc.h>
#include <sys/shm.h>

_Static_assert(UNP_SHM_DEST == SHM_DEST && UNP_SHM_LOCKED == SHM_LOCKED, "the bits of a segment's mode");

static void copy(int id, const struct shmid_ds *ds, struct unp_shm_stat *s)
{
	*s = (struct unp_shm_stat){
		.id = id,
		.key = ds->shm_perm.__key,
		.uid = ds->shm_perm.uid,
		.gid = ds->shm_perm.gid,
		.cuid = ds->shm_perm.cuid,
		.cgid = ds->shm_perm.cgid,
		.mode = ds->shm_perm.mode & (0777 | SHM_DEST | SHM_LOCKED),
		.atime = ds->shm_atime,
		.dtime = ds->shm_dtime,
		.ctime = ds->shm_ctime,
		.bytes = ds->shm_segsz,
		.nattch = ds->shm_nattch,
		.cpid = ds->shm_cpid,
		.lpid = ds->shm_lpid,
	};
}

int unp_shm_stat(int shmid, struct unp_shm_stat *stat)
{
	struct shmid_ds ds;
	if (shmctl(shmid, IPC_STAT, &ds) == -1)
		return errno;
	copy(shmid, &ds, stat);
	return 0;
}

int unp_shm_stat_index(int index, struct unp_shm_stat *stat)
{
	struct shmid_ds ds;
	int id = shmctl(index, SHM_STAT_ANY, &ds);
	if (id == -1)
		return errno;
	copy(id, &ds, stat);
	return 0;
}

int unp_shm_set(int shmid, const struct unp_shm_stat *stat)
{
	struct shmid_ds ds = {0};
	ds.shm_perm.uid = stat->uid;
	ds.shm_perm.gid = stat->gid;
	ds.shm_perm.mode = (unsigned short)stat->mode;
	return shmctl(shmid, IPC_SET, &ds) == -1 ? errno : 0;
}

int unp_shm_info(struct unp_shm_info *info)
{
	struct shminfo limits;
	struct shm_info use;
	if (shmctl(0, IPC_INFO, (struct shmid_ds *)&limits) == -1)
		return errno;
	int highest = shmctl(0, SHM_INFO, (struct shmid_ds *)&use);
	if (highest == -1)
		return errno;
	*info = (struct unp_shm_info){
		.shmmax = limits.shmmax,
		.shmmin = limits.shmmin,
		.shmmni = limits.shmmni,
		.shmall = limits.shmall,
		.segments = use.used_ids,
		.pages = use.shm_tot,
		.resident = use.shm_rss,
		.swapped = use.shm_swp,
		.highest = highest,
	};
	return 0;
}
