/*
 * mq - POSIX message queue calls in plain C, one an argument, one line of result
 * each: 0 or what the call gave, else "errno N". The judge of the binding's tests.
 *
 *	mq "open /q rwc 600 10 64" "send 5 68656c6c6f" "receive 64"
 */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static mqd_t q = -1;
static unsigned char buf[1 << 20];

static void result(long r)
{
	if (r < 0)
		printf("errno %d\n", errno);
	else
		printf("%ld\n", r);
}

/* r, w or rw; c create, x exclusive, n non-blocking */
static int flags(const char *letters)
{
	int f = strstr(letters, "rw") ? O_RDWR : strchr(letters, 'w') ? O_WRONLY : O_RDONLY;

	if (strchr(letters, 'c'))
		f |= O_CREAT;
	if (strchr(letters, 'x'))
		f |= O_EXCL;
	if (strchr(letters, 'n'))
		f |= O_NONBLOCK;
	return f;
}

static void do_open(const char *args)
{
	struct mq_attr attr = {0};
	char name[4096] = "", letters[16];
	unsigned mode = 0;
	int n = sscanf(args, "%4095s %15s %o %ld %ld", name, letters, &mode, &attr.mq_maxmsg, &attr.mq_msgsize);

	mqd_t new = mq_open(strcmp(name, "-") == 0 ? "" : name, flags(letters), mode, n == 5 ? &attr : NULL);

	if (new != -1)
		q = new;
	result(new == -1 ? -1 : 0);
}

/* The bytes of a message are hexadecimal, "-" for none. */
static size_t parse(const char *hex)
{
	size_t n = 0;

	for (; hex[0] && hex[1]; hex += 2)
		sscanf(hex, "%2hhx", &buf[n++]);
	return n;
}

static void print_message(long n, unsigned priority)
{
	if (n < 0) {
		result(n);
		return;
	}
	printf("priority %u, ", priority);
	for (long i = 0; i < n; i++)
		printf("%02x", buf[i]);
	puts(n == 0 ? "-" : "");
}

static void print_attr(void)
{
	struct mq_attr a;

	if (mq_getattr(q, &a) == -1)
		result(-1);
	else
		printf("%s, %ld messages of %ld, %ld in it\n", a.mq_flags & O_NONBLOCK ? "non-blocking" : "blocking",
			a.mq_maxmsg, a.mq_msgsize, a.mq_curmsgs);
}

static void notify(int how, int signo)
{
	struct sigevent e = {.sigev_notify = how, .sigev_signo = signo};

	result(mq_notify(q, &e));
}

/* Message seq of a stream: its number, then bytes that follow from it. */
static size_t make(uint32_t seq)
{
	size_t size = 4 + seq % 60;

	memcpy(buf, &seq, 4);
	for (size_t i = 4; i < size; i++)
		buf[i] = (unsigned char)(seq + i);
	return size;
}

static void stream(uint32_t count)
{
	for (uint32_t seq = 0; seq < count; seq++) {
		if (mq_send(q, (char *)buf, make(seq), seq % 3) == -1) {
			result(-1);
			return;
		}
	}
	result(0);
}

static void drain(uint32_t count)
{
	static unsigned char got[1 << 16];
	int64_t last[3] = {-1, -1, -1};

	for (uint32_t i = 0; i < count; i++) {
		unsigned priority;
		uint32_t seq;
		long n = mq_receive(q, (char *)got, sizeof(got), &priority);

		if (n < 0) {
			result(n);
			return;
		}
		memcpy(&seq, got, 4);
		if (n != (long)make(seq) || memcmp(got, buf, n) != 0 || seq % 3 != priority || seq <= last[priority]) {
			printf("message %u, priority %u: wrong\n", seq, priority);
			return;
		}
		last[priority] = seq;
	}
	result(0);
}

static void call(const char *c)
{
	char text[1 << 16] = "";
	long a, b;
	unsigned p;
	struct timespec t;

	if (strncmp(c, "open ", 5) == 0) {
		do_open(c + 5);
	} else if (sscanf(c, "unlink %s", text) == 1) {
		result(mq_unlink(text));
	} else if (strcmp(c, "close") == 0) {
		result(mq_close(q));
	} else if (strcmp(c, "attr") == 0) {
		print_attr();
	} else if (sscanf(c, "nonblock %ld", &a) == 1) {
		struct mq_attr set = {.mq_flags = a ? O_NONBLOCK : 0};
		result(mq_setattr(q, &set, NULL));
	} else if (sscanf(c, "send %u %s", &p, text) == 2) {
		result(mq_send(q, (char *)buf, parse(text), p));
	} else if (sscanf(c, "sendby %ld %u %s", &a, &p, text) == 3) {
		t = (struct timespec){.tv_sec = a};
		result(mq_timedsend(q, (char *)buf, parse(text), p, &t));
	} else if (sscanf(c, "receiveby %ld %ld", &a, &b) == 2) {
		t = (struct timespec){.tv_sec = a};
		b = mq_timedreceive(q, (char *)buf, b, &p, &t);
		print_message(b, p);
	} else if (sscanf(c, "receive %ld", &a) == 1) {
		a = mq_receive(q, (char *)buf, a, &p);
		print_message(a, p);
	} else if (sscanf(c, "signal %ld", &a) == 1) {
		notify(SIGEV_SIGNAL, (int)a);
	} else if (strcmp(c, "none") == 0) {
		notify(SIGEV_NONE, 0);
	} else if (strcmp(c, "cancel") == 0) {
		result(mq_notify(q, NULL));
	} else if (sscanf(c, "stream %ld", &a) == 1) {
		stream((uint32_t)a);
	} else if (sscanf(c, "drain %ld", &a) == 1) {
		drain((uint32_t)a);
	} else {
		printf("no call: %s\n", c);
	}
	fflush(stdout);
}

int main(int argc, char **argv)
{
	alarm(60);
	for (int i = 1; i < argc; i++)
		call(argv[i]);
	return 0;
}
