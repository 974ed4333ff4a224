/*
 * unp_sysvmq.h - System V message queues: sysvipc(7), UNPv2 chapter 6.
 *
 * msgget, msgsnd, msgrcv and removal have no shim: they are system calls without
 * any logic of libc's.
 */
#ifndef UNP_SYSVMQ_H
#define UNP_SYSVMQ_H

#include "unp.h"

/* struct msqid_ds in types that do not depend on the C library. Times are seconds, 0: never. */
struct unp_msg_stat {
	int32_t id;
	int32_t key;
	uint32_t uid, gid;   /* owner */
	uint32_t cuid, cgid; /* creator */
	uint32_t mode;	     /* permission bits */
	int64_t stime, rtime, ctime;
	uint64_t cbytes; /* bytes in the queue */
	uint64_t qnum;	 /* messages in the queue */
	uint64_t qbytes; /* bytes that it may hold */
	int32_t lspid;	 /* last msgsnd */
	int32_t lrpid;	 /* last msgrcv */
};

/* msgctl(2) IPC_STAT. Errors: EACCES, EIDRM, EINVAL. */
int unp_msg_stat(int msqid, struct unp_msg_stat *stat);

/*
 * msgctl(2) MSG_STAT_ANY: the queue at an index of the kernel's table, without a check
 * of permissions. Errors: EINVAL where there is none.
 */
int unp_msg_stat_index(int index, struct unp_msg_stat *stat);

/* msgctl(2) IPC_SET of owner, permission bits and qbytes. Errors: EPERM, EIDRM, EINVAL. */
int unp_msg_set(int msqid, const struct unp_msg_stat *stat);

/* Limits by IPC_INFO and use by MSG_INFO, both of msgctl(2). */
struct unp_msg_info {
	int32_t msgmax; /* bytes in a message */
	int32_t msgmnb; /* bytes in a queue, as given to a new one */
	int32_t msgmni; /* queues */
	int32_t queues, messages, bytes; /* there are now */
	int32_t highest;		 /* index in use, for unp_msg_stat_index */
};

int unp_msg_info(struct unp_msg_info *info);

#endif
