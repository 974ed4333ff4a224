/*
 * unp_sysvsem.h - System V semaphore sets: sysvipc(7), UNPv2 chapter 11.
 *
 * semget, semop, semtimedop, removal and what reads one number have no shim: they are
 * system calls without any logic of libc's. The others take a union that C leaves to
 * its caller to declare.
 */
#ifndef UNP_SYSVSEM_H
#define UNP_SYSVSEM_H

#include "unp.h"

/* struct semid_ds in types that do not depend on the C library. Times are seconds, 0: never. */
struct unp_semset_stat {
	int32_t id;
	int32_t key;
	uint32_t uid, gid;   /* owner */
	uint32_t cuid, cgid; /* creator */
	uint32_t mode;	     /* permission bits */
	int64_t otime, ctime;
	uint64_t nsems;
};

/* semctl(2) IPC_STAT. Errors: EACCES, EIDRM, EINVAL. */
int unp_semset_stat(int semid, struct unp_semset_stat *stat);

/*
 * semctl(2) SEM_STAT_ANY: the set at an index of the kernel's table, without a check
 * of permissions. Errors: EINVAL where there is none.
 */
int unp_semset_stat_index(int index, struct unp_semset_stat *stat);

/* semctl(2) IPC_SET of owner and permission bits. Errors: EPERM, EIDRM, EINVAL. */
int unp_semset_set(int semid, const struct unp_semset_stat *stat);

/* semctl(2) SETVAL. Errors: ERANGE, EACCES, EIDRM, EINVAL. */
int unp_semset_setval(int semid, int semnum, int value);

/*
 * semctl(2) GETALL and SETALL: the values of all semaphores of the set, as many as
 * IPC_STAT says. Errors: ERANGE, EACCES, EIDRM, EINVAL.
 */
int unp_semset_getall(int semid, uint16_t *values);
int unp_semset_setall(int semid, const uint16_t *values);

/* Limits by IPC_INFO and use by SEM_INFO, both of semctl(2). */
struct unp_semset_info {
	int32_t semmsl;	 /* semaphores in a set */
	int32_t semmns;	 /* semaphores in all sets */
	int32_t semopm;	 /* operations in a call */
	int32_t semmni;	 /* sets */
	int32_t semvmx;	 /* greatest value */
	int32_t semaem;	 /* greatest value that is kept to be undone */
	int32_t sets, semaphores; /* there are now */
	int32_t highest;	  /* index in use, for unp_semset_stat_index */
};

int unp_semset_info(struct unp_semset_info *info);

#endif
