/*
 * The server's way back to its clients. It never sleeps in msgsnd: what finds no room
 * is kept here, and a thread looks after it.
 */
#ifndef OUTBOX_H
#define OUTBOX_H

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

#include "sysv.h"

/* How often the queue is searched for what nobody will take. */
#define TIDY_AFTER SECOND
/* How often it is while there is no room in it. */
#define SWEEP_AT_MOST (SECOND / 50)
/*
 * The kernel tells nobody but a sleeping msgsnd of new room. These are the pauses
 * between looking for it.
 */
#define FIRST_PAUSE (SECOND / 10000)
#define MAX_PAUSE (SECOND / 100)

static int queue;
static bool quiet;
static atomic_int log_error;

static inline __attribute__((format(printf, 1, 2))) void say(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	flockfile(stdout);
	if (vprintf(format, args) < 0 || putchar('\n') < 0 || fflush(stdout) != 0)
		log_error = errno;
	funlockfile(stdout);
	va_end(args);
}

struct outgoing {
	struct response *message;
	size_t len; /* of its data */
};

static struct {
	pthread_mutex_t lock;
	struct outgoing *pending; /* in the order in which they go out */
	int count, room;
	uint64_t swept; /* when the queue was last searched */
	int wake;	/* an eventfd */
	int signals;	/* a signalfd */
	pthread_t thread;
	atomic_bool stopping;
} out = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Sends without sleeping; false means that there is no room. */
static bool put(const struct response *r, size_t len)
{
	if (msgsnd(queue, r, len, IPC_NOWAIT) == 0)
		return true;
	if (errno == EAGAIN)
		return false;
	if (!removed(errno)) /* of a removed queue the server will hear anyway */
		say("No response to client %d: %s", client_of(r->type), strerror(errno));
	return true;
}

/* Keeps a copy; an earlier response to the same client is not waited for any more. */
static void hold(const struct response *r, size_t len)
{
	int at = 0;
	while (at < out.count && out.pending[at].message->type != r->type)
		at++;
	if (at == out.room) {
		out.room = out.room ? 2 * out.room : 64;
		out.pending = allocate(out.pending, out.room * sizeof *out.pending);
	}
	if (at == out.count)
		out.pending[out.count++].message = NULL;
	struct outgoing *o = &out.pending[at];
	o->message = memcpy(allocate(o->message, DATA_OFFSET + len), r, DATA_OFFSET + len);
	o->len = len;
}

/* Sends a response now or as soon as there is room. */
static void respond(const struct response *r, size_t len)
{
	pthread_mutex_lock(&out.lock);
	bool sent = !out.count && put(r, len);
	if (!sent)
		hold(r, len);
	pthread_mutex_unlock(&out.lock);
	if (!sent)
		eventfd_write(out.wake, 1);
}

/* Sends what is pending, up to the first for which there is no room. */
static void flush_pending(void)
{
	int sent = 0;
	while (sent < out.count && put(out.pending[sent].message, out.pending[sent].len))
		free(out.pending[sent++].message);
	if (!sent)
		return;
	out.count -= sent;
	memmove(out.pending, out.pending + sent, out.count * sizeof *out.pending);
}

/* Whether somebody may still take the response. */
static bool wanted(const struct response *r, size_t len)
{
	pid_t pid = client_of(r->type);
	uint64_t ticks;
	if (len < RESPONSE_HEAD)
		say("Removed: a message of type %ld that is no response", r->type);
	else if (!pid || !started(pid, &ticks))
		say("Removed: a response to client %d, who is gone", pid);
	else if (r->deadline <= now_ns())
		say("Removed: a response to client %d, who no longer waits", pid);
	else
		return true;
	return false;
}

/*
 * Takes every response out of the queue and drops those that nobody will take. The
 * others are pending then. MSG_EXCEPT leaves the requests alone.
 */
static void sweep(void)
{
	static struct room room;
	struct msqid_ds ds;
	struct outgoing *old = out.pending;
	int count = out.count;
	ssize_t n;

	out.swept = now_ns();
	if (msgctl(queue, IPC_STAT, &ds) != 0)
		return;
	out.pending = NULL;
	out.count = out.room = 0;
	for (msgqnum_t i = 0; i < ds.msg_qnum; i++) {
		n = receive(queue, &room, REQUEST_TYPE, MSG_EXCEPT | IPC_NOWAIT);
		if (n < 0)
			break;
		if (wanted(&room.message->response, n))
			hold(&room.message->response, n);
	}
	for (int i = 0; i < count; i++) {
		if (wanted(old[i].message, old[i].len))
			hold(old[i].message, old[i].len);
		free(old[i].message);
	}
	free(old);
}

/* Makes room where nobody waits for what is in the queue, and sends what has room. */
static void clear_queue(void)
{
	sweep();
	flush_pending();
}

/* Does what is due; returns how long until the next look. */
static uint64_t tidy(uint64_t pause)
{
	pthread_mutex_lock(&out.lock);
	flush_pending();
	uint64_t since = now_ns() - out.swept;
	if (since >= TIDY_AFTER || (out.count && since >= SWEEP_AT_MOST))
		clear_queue();
	uint64_t next = out.count ? pause : TIDY_AFTER;
	pthread_mutex_unlock(&out.lock);
	return next;
}

/* The thread. A signal ends it, and by removing the queue everybody who waits at that. */
static void *look_after(void *unused)
{
	struct pollfd ready[] = {{out.signals, POLLIN, 0}, {out.wake, POLLIN, 0}};
	uint64_t pause = FIRST_PAUSE;
	while (!ready[0].revents) {
		eventfd_t news;
		uint64_t next = tidy(pause);
		struct timespec timeout = {next / SECOND, next % SECOND};
		ppoll(ready, 2, &timeout, NULL);
		pause = pause < MAX_PAUSE / 2 ? 2 * pause : MAX_PAUSE;
		if (ready[1].revents && eventfd_read(out.wake, &news) == 0)
			pause = FIRST_PAUSE;
	}
	out.stopping = true;
	msgctl(queue, IPC_RMID, NULL);
	return unused;
}

#endif
