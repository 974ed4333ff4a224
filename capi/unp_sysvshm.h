/*
 * unp_sysvshm.h - System V shared memory: sysvipc(7), UNPv2 chapter 14.
 *
 * shmget, shmat, shmdt, removal and locking have no shim: they are system calls
 * without any logic of libc's.
 */
#ifndef UNP_SYSVSHM_H
#define UNP_SYSVSHM_H

#include "unp.h"

/* struct shmid_ds in types that do not depend on the C library. Times are seconds, 0: never. */
struct unp_shm_stat {
	int32_t id;
	int32_t key;	     /* 0 when it was removed and is still attached */
	uint32_t uid, gid;   /* owner */
	uint32_t cuid, cgid; /* creator */
	uint32_t mode;	     /* permission bits, UNP_SHM_DEST, UNP_SHM_LOCKED */
	int64_t atime, dtime, ctime;
	uint64_t bytes;
	uint64_t nattch; /* mappings of it */
	int32_t cpid;	 /* creator */
	int32_t lpid;	 /* last shmat or shmdt */
};

#define UNP_SHM_DEST 01000   /* removed: gone with its last mapping */
#define UNP_SHM_LOCKED 02000 /* SHM_LOCK: is not swapped out */

/* shmctl(2) IPC_STAT. Errors: EACCES, EIDRM, EINVAL. */
int unp_shm_stat(int shmid, struct unp_shm_stat *stat);

/*
 * shmctl(2) SHM_STAT_ANY: the segment at an index of the kernel's table, without a
 * check of permissions. Errors: EINVAL where there is none.
 */
int unp_shm_stat_index(int index, struct unp_shm_stat *stat);

/* shmctl(2) IPC_SET of owner and permission bits. Errors: EPERM, EIDRM, EINVAL. */
int unp_shm_set(int shmid, const struct unp_shm_stat *stat);

/* Limits by IPC_INFO and use by SHM_INFO, both of shmctl(2). */
struct unp_shm_info {
	uint64_t shmmax; /* bytes in a segment */
	uint64_t shmmin; /* least bytes in a segment */
	uint64_t shmmni; /* segments */
	uint64_t shmall; /* pages in all segments */
	int32_t segments; /* there are now */
	uint64_t pages, resident, swapped; /* of all segments; in memory; swapped out */
	int32_t highest;  /* index in use, for unp_shm_stat_index */
};

int unp_shm_info(struct unp_shm_info *info);

#endif
