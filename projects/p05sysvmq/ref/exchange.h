/* A client's request and its answer, within the time-out. */
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include <signal.h>
#include <sys/random.h>
#include <sys/time.h>

#include "key.h"
#include "lock.h"

static key_t key;
static int queue;
static double timeout = 5;
static uint64_t give_up;
static struct room room;

static _Noreturn void fail(const char *call)
{
	if (removed(errno))
		die("key 0x%08x: the queue has been removed: its server has ended", key);
	die("%s key 0x%08x: %s", call, key, strerror(errno));
}

static void no_alarm(int signo)
{
	(void)signo;
}

/*
 * SIGALRM interrupts the sleeping call when the time is over, and again every 10 ms, as
 * a signal just before the call would be lost.
 */
static void start_clock(void)
{
	struct itimerval timer = {.it_interval = {0, 10000}};
	timer.it_value.tv_sec = (time_t)timeout;
	timer.it_value.tv_usec = (suseconds_t)((timeout - (double)timer.it_value.tv_sec) * 1e6) + 1;
	if (timer.it_value.tv_usec > 999999)
		timer.it_value.tv_usec = 999999;
	give_up = now_ns() + (uint64_t)(timeout * SECOND);
	setitimer(ITIMER_REAL, &timer, NULL);
}

static _Noreturn void too_long(size_t len, const char *what, unsigned long limit)
{
	die("key 0x%08x: the text has %zu bytes, too long: %s holds %lu, and the request's head takes %zu", key,
		len - REQUEST_HEAD, what, limit, REQUEST_HEAD);
}

/* Sends a request of len bytes of data. Sleeps while the queue is full. */
static void send_request(struct request *r, size_t len)
{
	struct msqid_ds ds;
	struct msginfo info;
	start_clock();
	r->deadline = give_up;
	if (getrandom(&r->nonce, sizeof r->nonce, 0) != sizeof r->nonce)
		die("getrandom: %s", strerror(errno));
	if (msgsnd(queue, r, len, IPC_NOWAIT) == 0)
		return;
	if (errno == EAGAIN) {
		/* What cannot fit even into an empty queue would sleep for ever. */
		if (msgctl(queue, IPC_STAT, &ds) != 0)
			fail("msgctl");
		if (len > ds.msg_qbytes)
			too_long(len, "the queue (msg_qbytes)", ds.msg_qbytes);
		while (msgsnd(queue, r, len, 0) != 0) {
			if (errno != EINTR)
				fail("msgsnd");
			if (now_ns() >= give_up)
				die("key 0x%08x: no room in the queue within %g s", key, timeout);
		}
		return;
	}
	int error = errno; /* EINVAL: of a queue that is gone, or of its size */
	if (error == EINVAL && msgctl(0, IPC_INFO, (struct msqid_ds *)&info) >= 0 && len > (size_t)info.msgmax)
		too_long(len, "a message (msgmax)", info.msgmax);
	errno = error;
	fail("msgsnd");
}

static _Noreturn void no_answer(void)
{
	struct owner last;
	char state[64] = "";
	if (server_is_dead(key, &last))
		snprintf(state, sizeof state, ", its server (process %d) is dead", last.pid);
	die("key 0x%08x: no answer within %g s%s", key, timeout, state);
}

/* Waits for the answer. A response to anybody else's request is thrown away. */
static const struct response *receive_response(uint64_t nonce, size_t *len)
{
	for (;;) {
		ssize_t n = receive(queue, &room, response_type(getpid()), 0);
		const struct response *r = &room.message->response;
		if (n >= 0 && (size_t)n >= RESPONSE_HEAD && r->nonce == nonce) {
			*len = n - RESPONSE_HEAD;
			if (r->status == 0)
				return r;
			fprintf(stderr, "error: %.*s\n", (int)*len, r->text);
			exit(1);
		}
		if (n < 0 && errno != EINTR)
			fail("msgrcv");
		if (now_ns() >= give_up)
			no_answer();
	}
}

#endif
