#include "unp_sysvmq.h"

#include <sys/ipc.h>
#include <sys/msg.h>

static void copy(int id, const struct msqid_ds *ds, struct unp_msg_stat *s)
{
	*s = (struct unp_msg_stat){
		.id = id,
		.key = ds->msg_perm.__key,
		.uid = ds->msg_perm.uid,
		.gid = ds->msg_perm.gid,
		.cuid = ds->msg_perm.cuid,
		.cgid = ds->msg_perm.cgid,
		.mode = ds->msg_perm.mode & 0777,
		.stime = ds->msg_stime,
		.rtime = ds->msg_rtime,
		.ctime = ds->msg_ctime,
		.cbytes = ds->__msg_cbytes,
		.qnum = ds->msg_qnum,
		.qbytes = ds->msg_qbytes,
		.lspid = ds->msg_lspid,
		.lrpid = ds->msg_lrpid,
	};
}

int unp_msg_stat(int msqid, struct unp_msg_stat *stat)
{
	struct msqid_ds ds;
	if (msgctl(msqid, IPC_STAT, &ds) == -1)
		return errno;
	copy(msqid, &ds, stat);
	return 0;
}

int unp_msg_stat_index(int index, struct unp_msg_stat *stat)
{
	struct msqid_ds ds;
	int id = msgctl(index, MSG_STAT_ANY, &ds);
	if (id == -1)
		return errno;
	copy(id, &ds, stat);
	return 0;
}

int unp_msg_set(int msqid, const struct unp_msg_stat *stat)
{
	struct msqid_ds ds = {.msg_qbytes = stat->qbytes};
	ds.msg_perm.uid = stat->uid;
	ds.msg_perm.gid = stat->gid;
	ds.msg_perm.mode = (unsigned short)stat->mode;
	return msgctl(msqid, IPC_SET, &ds) == -1 ? errno : 0;
}

int unp_msg_info(struct unp_msg_info *info)
{
	struct msginfo limits, use;
	if (msgctl(0, IPC_INFO, (struct msqid_ds *)&limits) == -1)
		return errno;
	int highest = msgctl(0, MSG_INFO, (struct msqid_ds *)&use);
	if (highest == -1)
		return errno;
	*info = (struct unp_msg_info){
		.msgmax = limits.msgmax,
		.msgmnb = limits.msgmnb,
		.msgmni = limits.msgmni,
		.queues = use.msgpool,
		.messages = use.msgmap,
		.bytes = use.msgtql,
		.highest = highest,
	};
	return 0;
}
