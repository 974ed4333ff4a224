/*
 * callcost - what the calls on a message queue cost when nobody has to wait.
 *
 * Sends messages to itself and receives them; what is checked is described in
 * doc.go. The Go program has the same flags and makes the same calls.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <mqueue.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <time.h>
#include <unistd.h>

struct message {
	long type;
	unsigned char data[];
};

static size_t size = 64;
static uint64_t count = 1000, warmup = 64;
static struct message *sent, *got;
static mqd_t mq;
static int msqid;
static bool threaded;

__attribute__((format(printf, 1, 2), noreturn)) static void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("callcost: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * UINT64_C(1000000000) + t.tv_nsec;
}

/* ---- a message ------------------------------------------------------------- */

/* Both ends of the message get the sequence number. */
static inline void stamp(unsigned char *m, uint64_t seq)
{
	uint64_t le = htole64(seq);

	if (size < 16) {
		m[0] = m[size - 1] = (unsigned char)seq;
		return;
	}
	memcpy(m, &le, 8);
	memcpy(m + size - 8, &le, 8);
}

static inline bool stamped(const unsigned char *m, uint64_t seq)
{
	uint64_t le = htole64(seq);

	if (size < 16)
		return m[0] == (unsigned char)seq && m[size - 1] == (unsigned char)seq;
	return memcmp(m, &le, 8) == 0 && memcmp(m + size - 8, &le, 8) == 0;
}

/* Bytes that the next message of the same size does not have. */
static void fill(unsigned char *m, uint64_t seq)
{
	for (size_t i = 0; i < size; i++)
		m[i] = (unsigned char)(i * 31 + seq * 131);
	stamp(m, seq);
}

/* ---- the queues ------------------------------------------------------------ */

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

/* ---- the other thread ------------------------------------------------------ */

static void *idle(void *unused)
{
	for (;;)
		pause();
	return unused;
}

/* From now on the kernel counts a file's users in every call on a descriptor. */
static void start_thread(void)
{
	pthread_t thread;
	int error = pthread_create(&thread, NULL, idle, NULL);

	if (error)
		die("pthread_create: %s", strerror(error));
}

/* ---- the loop -------------------------------------------------------------- */

static inline void pass_once(long (*pass)(uint64_t), uint64_t seq)
{
	long n = pass(seq);

	if (n < 0)
		die("message %llu: %s", (unsigned long long)seq, strerror(errno));
	if ((size_t)n != size || !stamped(got->data, seq))
		die("message %llu: %ld bytes, or a wrong number", (unsigned long long)seq, n);
}

static void run(long (*pass)(uint64_t))
{
	uint64_t seq, start, end;

	for (seq = 1; seq <= warmup; seq++) {
		fill(sent->data, seq);
		pass_once(pass, seq);
		if (memcmp(sent->data, got->data, size) != 0)
			die("warm-up message %llu: not the bytes that were sent", (unsigned long long)seq);
	}
	memset(got->data, 0, size);
	start = now_ns();
	for (seq = 1; seq <= count; seq++) {
		stamp(sent->data, seq);
		pass_once(pass, seq);
	}
	end = now_ns();
	if (memcmp(sent->data, got->data, size) != 0)
		die("last message: not the bytes that were sent");
	printf("{\"count\":%llu,\"ns\":%llu}\n", (unsigned long long)count, (unsigned long long)(end - start));
}

/* ---- the command line ------------------------------------------------------ */

static const char usage[] =
	"usage: callcost --queue QUEUE [flags]\n\n"
	"Sends messages to itself; the time they took goes to standard output as JSON.\n\n"
	"flags:\n"
	"      --queue QUEUE  posix or sysv\n"
	"      --size N       bytes in a message (default 64)\n"
	"      --count N      timed messages (default 1000)\n"
	"      --warmup N     messages before them, compared byte for byte (default 64)\n"
	"      --threaded     with a second thread, as Go always has; it does nothing\n"
	"  -h, --help         show this help\n\n"
	"example:\n"
	"  callcost --queue posix --size 64 --count 1000000\n";

__attribute__((noreturn)) static void bad_usage(const char *what)
{
	fprintf(stderr, "callcost: %s\nTry 'callcost --help'.\n", what);
	exit(2);
}

static uint64_t number(const char *text)
{
	char *end;
	long long n;

	errno = 0;
	n = strtoll(text, &end, 10);
	if (end == text || *end || errno || n < 0)
		bad_usage("sizes and counts are whole numbers from 0");
	return n;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"queue", 1, NULL, 'q'}, {"size", 1, NULL, 's'}, {"count", 1, NULL, 'n'},
		{"warmup", 1, NULL, 'w'}, {"threaded", 0, NULL, 't'}, {"help", 0, NULL, 'h'}, {0},
	};
	const char *queue = "";
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case 'h':
			fputs(usage, stdout);
			return 0;
		case 'q':
			queue = optarg;
			break;
		case 's':
			size = number(optarg);
			break;
		case 'n':
			count = number(optarg);
			break;
		case 'w':
			warmup = number(optarg);
			break;
		case 't':
			threaded = true;
			break;
		default:
			return 2;
		}
	}
	if (size == 0 || size > UINT32_MAX || count == 0 || optind < argc)
		bad_usage("--size and --count are at least 1");
	sent = calloc(1, sizeof(*sent) + size);
	got = calloc(1, sizeof(*got) + size);
	if (!sent || !got)
		die("%zu bytes: %s", size, strerror(errno));
	if (threaded)
		start_thread();
	if (strcmp(queue, "posix") == 0) {
		open_posix();
		run(pass_posix);
	} else if (strcmp(queue, "sysv") == 0) {
		open_sysv();
		atexit(close_sysv); /* a failed check leaves no queue either */
		run(pass_sysv);
	} else {
		bad_usage("--queue is posix or sysv");
	}
	free(sent);
	free(got);
	if (fflush(stdout) != 0)
		die("standard output: %s", strerror(errno));
	return 0;
}
