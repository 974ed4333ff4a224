/* A queue of either kind that holds one message, and the message passing through it. */
#ifndef QUEUES_H
#define QUEUES_H

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <unistd.h>

#include "../../cli/ref/cli.h"
#include "../../message/ref/message.h"

struct message {
	long type;
	unsigned char data[];
};

static size_t size = 64; /* of a message in bytes */
static struct message *sent, *got;
static mqd_t mq;
static int msqid;

__attribute__((noreturn)) static void skip(const char *sysctl)
{
	printf("{\"count\":0,\"ns\":0,\"skip\":\"messages of %zu bytes: %s\"}\n", size, sysctl);
	exit(0);
}

/* Raises a limit, a file of /proc/sys, in a namespace of this process's own. */
static bool raise_limit(const char *limit)
{
	static bool alone;
	FILE *f;
	bool good;

	if (!alone && unshare(CLONE_NEWIPC) == -1)
		return false;
	alone = true;
	f = fopen(limit, "w");
	if (!f)
		return false;
	good = fprintf(f, "%zu", size) > 0;
	return fclose(f) == 0 && good;
}

static mqd_t open_new(const char *name)
{
	struct mq_attr attr = {.mq_maxmsg = 1, .mq_msgsize = size};

	return mq_open(name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600, &attr);
}

static void open_posix(void)
{
	char name[64], sysctl[128];

	snprintf(name, sizeof(name), "/unpipc-callcost-%d", (int)getpid());
	mq = open_new(name);
	if (mq == -1 && errno == EINVAL && raise_limit("/proc/sys/fs/mqueue/msgsize_max"))
		mq = open_new(name);
	if (mq == -1 && errno == EMFILE)
		skip("ulimit -q");
	if (mq == -1) {
		snprintf(sysctl, sizeof(sysctl),
			"sysctl -w fs.mqueue.msgsize_max=%zu, or CAP_SYS_ADMIN (%s)", size, strerror(errno));
		skip(sysctl);
	}
	mq_unlink(name); /* so that nothing is left, however this ends */
}

static long pass_posix(uint64_t seq)
{
	unsigned priority;
	long n;

	if (mq_send(mq, (char *)sent->data, size, seq % 32768) == -1)
		die("mq_send: %s", strerror(errno));
	n = mq_receive(mq, (char *)got->data, size, &priority);
	return n >= 0 && priority != seq % 32768 ? 0 : n;
}

static void open_sysv(void)
{
	struct msginfo info;
	char sysctl[128];

	if (msgctl(0, IPC_INFO, (struct msqid_ds *)&info) == -1)
		die("msgctl: %s", strerror(errno));
	if ((size > (size_t)info.msgmax || size > (size_t)info.msgmnb) &&
		!(raise_limit("/proc/sys/kernel/msgmax") && raise_limit("/proc/sys/kernel/msgmnb"))) {
		snprintf(sysctl, sizeof(sysctl),
			"sysctl -w kernel.msgmax=%zu kernel.msgmnb=%zu, or CAP_SYS_ADMIN (%s)", size, size,
			strerror(errno));
		skip(sysctl);
	}
	msqid = msgget(IPC_PRIVATE, 0600);
	if (msqid == -1)
		die("msgget: %s", strerror(errno));
}

static long pass_sysv(uint64_t seq)
{
	long n;

	sent->type = seq;
	if (msgsnd(msqid, sent, size, 0) == -1)
		die("msgsnd: %s", strerror(errno));
	n = msgrcv(msqid, got, size, 0, 0);
	return n >= 0 && got->type != (long)seq ? 0 : n;
}

static void close_sysv(void)
{
	msgctl(msqid, IPC_RMID, NULL);
}

#endif
