/*
 * msg - System V message queue calls in plain C, one an argument, one line of
 * result each: 0 or what the call gave, else "errno N". The judge of the binding's
 * tests.
 *
 *	msg "get 0x1234 cx 600" "send 5 68656c6c6f -" "receive 64 -5 n"
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <unistd.h>

static int id = -1;

static struct {
	long type;
	unsigned char data[1 << 20];
} m;

static void result(long r)
{
	if (r < 0)
		printf("errno %d\n", errno);
	else
		printf("%ld\n", r);
}

static int flags(const char *letters)
{
	int f = 0;

	for (; *letters; letters++)
		f |= *letters == 'n' ? IPC_NOWAIT : *letters == 'e' ? MSG_NOERROR : *letters == 'x' ? MSG_EXCEPT
			: *letters == 'c' ? MSG_COPY : 0;
	return f;
}

static void get(long key, const char *letters, unsigned mode)
{
	int got = msgget((key_t)key, (int)mode | (strchr(letters, 'c') ? IPC_CREAT : 0) |
		(strchr(letters, 'x') ? IPC_EXCL : 0));

	if (got != -1)
		id = got;
	result(got == -1 ? -1 : 0);
}

/* The bytes of a message are hexadecimal, "-" for none, "@N" for N zeros. */
static void do_send(long type, const char *hex, const char *letters)
{
	size_t n = 0;

	m.type = type;
	if (*hex == '@') {
		n = strtoul(hex + 1, NULL, 10);
		memset(m.data, 0, n < sizeof(m.data) ? n : 0);
	} else {
		for (; hex[0] && hex[1]; hex += 2)
			sscanf(hex, "%2hhx", &m.data[n++]);
	}
	result(msgsnd(id, &m, n, flags(letters)));
}

static void do_receive(long room, long type, const char *letters)
{
	long n = msgrcv(id, &m, room, type, flags(letters));

	if (n < 0) {
		result(n);
	} else if (n > 64) {
		printf("type %ld, %ld bytes\n", m.type, n);
	} else {
		printf("type %ld, ", m.type);
		for (long i = 0; i < n; i++)
			printf("%02x", m.data[i]);
		puts(n == 0 ? "-" : "");
	}
}

static void stat(void)
{
	struct msqid_ds ds;

	if (msgctl(id, IPC_STAT, &ds) == -1)
		result(-1);
	else
		printf("mode %o, %lu messages, %lu bytes of %lu\n", ds.msg_perm.mode & 0777, (unsigned long)ds.msg_qnum,
			(unsigned long)ds.__msg_cbytes, (unsigned long)ds.msg_qbytes);
}

static void set(unsigned mode, unsigned long qbytes)
{
	struct msqid_ds ds;

	if (msgctl(id, IPC_STAT, &ds) == -1) {
		result(-1);
		return;
	}
	ds.msg_perm.mode = (unsigned short)mode;
	ds.msg_qbytes = qbytes;
	result(msgctl(id, IPC_SET, &ds));
}

/* Message seq of a stream: its number, then bytes that follow from it. */
static size_t make(unsigned char *data, uint32_t seq)
{
	size_t size = 4 + seq % 60;

	memcpy(data, &seq, 4);
	for (size_t i = 4; i < size; i++)
		data[i] = (unsigned char)(seq + i);
	return size;
}

static void stream(uint32_t count)
{
	for (uint32_t seq = 0; seq < count; seq++) {
		m.type = 1 + seq % 3;
		if (msgsnd(id, &m, make(m.data, seq), 0) == -1) {
			result(-1);
			return;
		}
	}
	result(0);
}

static void drain(uint32_t count)
{
	static unsigned char want[64];

	for (uint32_t seq = 0; seq < count; seq++) {
		long n = msgrcv(id, &m, sizeof(m.data), 0, 0);

		if (n < 0) {
			result(n);
			return;
		}
		if (n != (long)make(want, seq) || memcmp(want, m.data, n) != 0 || m.type != 1 + seq % 3) {
			printf("message %u: wrong\n", seq);
			return;
		}
	}
	result(0);
}

static void call(const char *c)
{
	char text[4096] = "", letters[16] = "";
	long a, b;
	unsigned mode;

	if (sscanf(c, "ftok %4095s %li", text, &a) == 2) {
		key_t key = ftok(text, (int)a);
		if (key == -1)
			result(-1);
		else
			printf("0x%08x\n", (unsigned)key);
	} else if (sscanf(c, "get %li %15s %o", &a, letters, &mode) == 3) {
		get(a, letters, mode);
	} else if (sscanf(c, "id %ld", &a) == 1) {
		id = (int)a;
		result(0);
	} else if (sscanf(c, "send %ld %4095s %15s", &a, text, letters) == 3) {
		do_send(a, text, letters);
	} else if (sscanf(c, "receive %ld %ld %15s", &a, &b, letters) == 3) {
		do_receive(a, b, letters);
	} else if (strcmp(c, "stat") == 0) {
		stat();
	} else if (sscanf(c, "set %o %ld", &mode, &a) == 2) {
		set(mode, a);
	} else if (strcmp(c, "remove") == 0) {
		result(msgctl(id, IPC_RMID, NULL));
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
