/*
 * Where jobs go to: a queue, and the state directory that they are recorded in. Its
 * layout is the one of the Go programs:
 *
 *   lock         write-locked (fcntl) by the dispatcher for as long as it lives;
 *                holds its --aging in nanoseconds
 *   counter      the last number that a job got, in decimal; changed under flock(2)
 *   new/PID.N    a job being written by process PID
 *   jobs/ID      a job that waits: "PRIORITY COMMAND"; its time of modification is
 *                when it was queued
 *   running/ID   the same file, from before the job starts until its result is kept
 *   output/ID    what a running job has written so far; the processes of the job hold
 *                a lock (flock) on it while it is theirs
 *   log          one line a finished job: "ID PRIORITY RESULT"
 *   log.1        the log before that, when it had grown over a megabyte
 */
#ifndef PLACE_H
#define PLACE_H

#include <fcntl.h>
#include <limits.h>
#include <mqueue.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "../../internal/cli/ref/cli.h"

#define DEFAULT_QUEUE "/job_queue"
#define MAX_PRIORITY 32767 /* MQ_PRIO_MAX - 1 */
#define MAX_AGING 86400	   /* seconds */
#define NANO INT64_C(1000000000)

struct place {
	const char *queue, *state;
	long max_messages, message_size; /* 0: the default, or what there is */
};

static struct place place = {.queue = DEFAULT_QUEUE};
static int state = -1;		   /* the directory */
static char state_path[PATH_MAX]; /* by its one true name */

static const char *default_state(void)
{
	static char path[PATH_MAX];
	const char *dir = getenv("XDG_RUNTIME_DIR");
	if (dir && dir[0] == '/')
		snprintf(path, sizeof path, "%s/unpipc-jobs-%s", dir, place.queue + 1);
	else
		snprintf(path, sizeof path, "/tmp/unpipc-jobs-%d-%s", (int)geteuid(), place.queue + 1);
	return path;
}

/* Opens the state directory and, with make, makes it. False if it is not there. */
static bool open_state(bool make)
{
	static const char *const folders[] = {"new", "jobs", "running", "output"};
	const char *path = place.state ? place.state : default_state();
	struct stat st;
	if (make && mkdir(path, 0700) != 0 && errno != EEXIST)
		die("mkdir %s: %s", path, strerror(errno));
	if (lstat(path, &st) != 0) {
		if (errno == ENOENT && !make)
			return false;
		die("lstat %s: %s", path, strerror(errno));
	}
	if (!S_ISDIR(st.st_mode))
		die("%s: not a directory", path);
	if (st.st_uid != geteuid())
		die("%s: another user's directory", path);
	if (st.st_mode & 077)
		die("%s: others may use this directory (mode %04o), and what is in it is executed", path,
			st.st_mode & 07777);
	state = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (state < 0 || !realpath(path, state_path))
		die("open %s: %s", path, strerror(errno));
	for (int i = 0; make && i < 4; i++)
		if (mkdirat(state, folders[i], 0700) != 0 && errno != EEXIST)
			die("mkdir %s/%s: %s", path, folders[i], strerror(errno));
	return true;
}

static _Noreturn void die_of(const char *call, const char *name)
{
	die("%s %s/%s: %s", call, state_path, name, strerror(errno));
}

static int open_file(const char *name, int flags)
{
	int fd = openat(state, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | flags, 0600);
	if (fd < 0)
		die_of("open", name);
	return fd;
}

/* The process with the dispatcher's lock; 0: none; -1: in another pid namespace. */
static pid_t owner(void)
{
	struct flock held = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
	int fd = openat(state, "lock", O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fcntl(fd, F_GETLK, &held) != 0)
		die_of("fcntl", "lock");
	close(fd);
	if (held.l_type == F_UNLCK)
		return 0;
	return held.l_pid > 0 ? held.l_pid : -1;
}

/* Why mq_open failed, with the limit that it ran into. */
static _Noreturn void explain(const struct mq_attr *attr)
{
	long limits[3] = {-1, -1, -1};
	static const char *const names[] = {"msg_max", "msgsize_max", "queues_max"};
	int error = errno;
	for (int i = 0; i < 3; i++) {
		char path[64];
		snprintf(path, sizeof path, "/proc/sys/fs/mqueue/%s", names[i]);
		FILE *f = fopen(path, "re");
		if (f && fscanf(f, "%ld", &limits[i]) != 1)
			limits[i] = -1;
		if (f)
			fclose(f);
	}
	if (error == EINVAL)
		die("%s: %ld messages of %ld bytes are refused: without privilege fs.mqueue.msg_max=%ld and "
		    "fs.mqueue.msgsize_max=%ld are the limits (sysctl -w fs.mqueue.msg_max=%ld "
		    "fs.mqueue.msgsize_max=%ld)",
			place.queue, attr->mq_maxmsg, attr->mq_msgsize, limits[0], limits[1],
			attr->mq_maxmsg > limits[0] ? attr->mq_maxmsg : limits[0],
			attr->mq_msgsize > limits[1] ? attr->mq_msgsize : limits[1]);
	if (error == EMFILE) {
		struct rlimit bytes;
		getrlimit(RLIMIT_MSGQUEUE, &bytes);
		die("%s: %ld messages of %ld bytes are too much for RLIMIT_MSGQUEUE (ulimit -q: %ju bytes for "
		    "all queues of a user), or there are too many open files",
			place.queue, attr->mq_maxmsg, attr->mq_msgsize, (uintmax_t)bytes.rlim_cur);
	}
	if (error == ENOSPC)
		die("%s: there are fs.mqueue.queues_max=%ld queues already (sysctl -w fs.mqueue.queues_max=%ld)",
			place.queue, limits[2], 2 * limits[2]);
	die("mq_open %s: %s", place.queue, strerror(error));
}

/*
 * Opens the queue, and makes it if need be. What is sent there gets executed: a queue
 * that others may write to, or read, is refused.
 */
static mqd_t open_queue(int flags, struct mq_attr *now)
{
	struct mq_attr attr = {.mq_maxmsg = place.max_messages ? place.max_messages : 10,
		.mq_msgsize = place.message_size ? place.message_size : 8192};
	struct stat st;
	mqd_t mq = mq_open(place.queue, flags | O_CREAT | O_CLOEXEC, 0600, &attr);
	if (mq < 0)
		explain(&attr);
	if (fstat(mq, &st) != 0 || mq_getattr(mq, now) != 0)
		die("%s: %s", place.queue, strerror(errno));
	if (st.st_uid != geteuid())
		die("%s: another user's queue", place.queue);
	if (st.st_mode & 077)
		die("%s: others may use this queue (mode %04o), and what it carries is executed",
			place.queue, st.st_mode & 07777);
	if ((place.max_messages && now->mq_maxmsg != attr.mq_maxmsg) ||
		(place.message_size && now->mq_msgsize != attr.mq_msgsize))
		die("%s exists with room for %ld messages of %ld bytes, which cannot be changed",
			place.queue, now->mq_maxmsg, now->mq_msgsize);
	return mq;
}

#endif
