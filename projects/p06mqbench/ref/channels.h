/* What a mechanism needs before its two processes run: made, named to them, removed. */
#ifndef CHANNELS_H
#define CHANNELS_H

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "../../internal/transfer/ref/roles.h"

/* The ends of process 0, which sends, and of process 1. */
static struct {
	char in[2][256], out[2][256];
	int fds[2][2]; /* of each process; -1: none */
	char names[2][256];
	char folder[200]; /* of the FIFOs */
	int queue; /* System V */
} made;

static char skipped[256]; /* why the mechanism cannot be measured here, if so */

static void fd_end(int process, int in_fd, int out_fd)
{
	made.fds[process][0] = in_fd;
	made.fds[process][1] = out_fd;
	snprintf(made.in[process], sizeof(made.in[0]), "%d", in_fd);
	snprintf(made.out[process], sizeof(made.out[0]), "%d", out_fd);
}

static void name_ends(const char *prefix)
{
	static unsigned int made_so_far;

	made_so_far++;
	for (int i = 0; i < 2; i++)
		snprintf(made.names[i], sizeof(made.names[i]), "%s/unpipc-%d-transfer-%u-%s",
			prefix, (int)getpid(), made_so_far, i ? "back" : "there");
	for (int i = 0; i < 2; i++) {
		strcpy(made.out[i], made.names[i]);
		strcpy(made.in[i], made.names[!i]);
	}
}

static void make_pipes(void)
{
	int there[2], back[2];

	if (pipe2(there, O_CLOEXEC) != 0 || pipe2(back, O_CLOEXEC) != 0)
		die("pipe: %s", strerror(errno));
	fd_end(0, back[0], there[1]);
	fd_end(1, there[0], back[1]);
}

static void make_sockets(void)
{
	int s[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s) != 0)
		die("socketpair: %s", strerror(errno));
	fd_end(0, s[0], s[0]);
	fd_end(1, s[1], s[1]);
}

/* In a folder with our number, which "ipc_suite clean" knows should we be killed. */
static void make_fifos(void)
{
	const char *tmp = getenv("TMPDIR");

	if (!tmp || !*tmp || strlen(tmp) > 100)
		tmp = "/tmp";
	sprintf(made.folder, "%s/unpipc-%d-XXXXXX", tmp, (int)getpid());
	if (!mkdtemp(made.folder))
		die("mkdtemp %s: %s", made.folder, strerror(errno));
	name_ends(made.folder);
	for (int i = 0; i < 2; i++)
		if (mkfifo(made.names[i], 0600) != 0)
			die("%s: %s", made.names[i], strerror(errno));
}

static void make_posix_queues(void)
{
	struct mq_attr attr = {.mq_maxmsg = 10, .mq_msgsize = size < 4 ? 4 : size};

	name_ends("");
	for (int i = 0; i < 2 && !*skipped; i++) {
		mqd_t q = mq_open(made.names[i], O_RDWR | O_CREAT | O_EXCL, 0600, &attr);

		if (q != (mqd_t)-1) {
			mq_close(q);
		} else if (errno == EINVAL) {
			snprintf(skipped, sizeof(skipped), "a message of %zu bytes is over the limit: "
				"sysctl fs.mqueue.msgsize_max=%zu", size, size);
		} else if (errno == EMFILE && attr.mq_maxmsg > 1) {
			attr.mq_maxmsg /= 2; /* RLIMIT_MSGQUEUE; both hold as many */
			mq_unlink(made.names[0]);
			i = -1;
		} else if (errno == EMFILE) {
			snprintf(skipped, sizeof(skipped), "RLIMIT_MSGQUEUE: ulimit -q %zu", 4 * size + 4096);
		} else {
			die("mq_open %s: %s", made.names[i], strerror(errno));
		}
	}
}

static void make_sysv_queue(void)
{
	key_t key = (key_t)(0x1b5u << 22 | ((unsigned int)getpid() & 0x3fffff)); /* as names.go has it */
	size_t need = size < 4 ? 4 : size;
	struct msginfo limits;
	struct msqid_ds ds;

	if (msgctl(0, IPC_INFO, (struct msqid_ds *)&limits) == -1)
		die("msgctl: %s", strerror(errno));
	if (need > (size_t)limits.msgmax || need > (size_t)limits.msgmnb) {
		snprintf(skipped, sizeof(skipped), "a message of %zu bytes is over the limit of %d: sysctl "
			"kernel.msgmax=%zu kernel.msgmnb=%zu", need, limits.msgmax, need, 2 * need);
		return;
	}
	made.queue = msgget(key, IPC_CREAT | IPC_EXCL | 0600);
	if (made.queue == -1)
		die("System V queue 0x%08x: %s", (unsigned int)key, strerror(errno));
	if (msgctl(made.queue, IPC_STAT, &ds) == 0 && ds.msg_qbytes < 2 * need) {
		ds.msg_qbytes = 2 * need;
		msgctl(made.queue, IPC_SET, &ds); /* without privilege one message at a time */
	}
	for (int i = 0; i < 2; i++) {
		snprintf(made.out[i], sizeof(made.out[i]), "0x%08x:%d", (unsigned int)key, i + 1);
		snprintf(made.in[i], sizeof(made.in[i]), "0x%08x:%d", (unsigned int)key, 2 - i);
	}
}

static void make_ring(const char *name)
{
	uint32_t room = size < 4 ? 4 : size, slots = 65536 / room;
	struct ring_memory *m;
	size_t bytes;
	int fd, error;

	slots = slots < 2 ? 2 : slots > 64 ? 64 : slots;
	bytes = sizeof(*m) + slots * slot_size(room);
	fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		die("shm_open %s: %s", name, strerror(errno));
	error = posix_fallocate(fd, 0, bytes); /* a full file system is no SIGBUS later */
	if (error == 0) {
		m = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (m == MAP_FAILED)
			die("mmap %s: %s", name, strerror(errno));
		m->slots = slots;
		m->room = room;
		sem_init(&m->full, 1, 0);
		sem_init(&m->empty, 1, slots);
		munmap(m, bytes);
	} else {
		snprintf(skipped, sizeof(skipped), "%s: %zu bytes: %s: a larger /dev/shm is needed",
			name, bytes, strerror(error));
	}
	close(fd);
}

static void make_rings(void)
{
	name_ends("");
	make_ring(made.names[0]);
	make_ring(made.names[1]);
}

static void close_ends(int process)
{
	for (int i = 0; i < 2; i++)
		if (made.fds[process][i] >= 0 && (i == 0 || made.fds[process][1] != made.fds[process][0]))
			close(made.fds[process][i]);
	made.fds[process][0] = made.fds[process][1] = -1;
}

/* Removes what there is of the mechanism; what there is not is no error. */
static void remove_made(void)
{
	close_ends(0);
	close_ends(1);
	for (int i = 0; i < 2 && *made.names[0]; i++) {
		unlink(made.names[i]); /* a FIFO */
		mq_unlink(made.names[i]);
		shm_unlink(made.names[i]);
	}
	if (made.queue >= 0)
		msgctl(made.queue, IPC_RMID, NULL);
	if (*made.folder)
		rmdir(made.folder);
	made.names[0][0] = made.folder[0] = 0;
	made.queue = -1;
}

static const struct mechanism {
	const char *name, *winner, *channel;
	bool simple; /* needs neither synchronization nor cleaning up */
	void (*make)(void);
} mechanisms[] = {
	{"Pipe", "Pipe", "pipe", true, make_pipes},
	{"FIFO", "FIFO", "fifo", false, make_fifos},
	{"Unix Domain Socket", "Unix Domain Socket", "unix_stream", true, make_sockets},
	{"POSIX Message Queue", "POSIX Message Queue", "posix_mq", false, make_posix_queues},
	{"System V Message Queue", "System V Message Queue", "sysv_mq", false, make_sysv_queue},
	{"Shared Memory + Sem", "Shared Memory", "shm_sem", false, make_rings},
};
#define MECHANISMS (sizeof(mechanisms) / sizeof(*mechanisms))

#endif
