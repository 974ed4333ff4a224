/* Being told of a message: mq_notify(3), by a signal or on a thread. */
#ifndef NOTIFY_H
#define NOTIFY_H

#include <signal.h>

#include "place.h"

static mqd_t queue;
static bool by_thread;
static int events[2]; /* a pipe: the numbers of signals, one a byte */

/* Of all signals that the dispatcher lives by. */
static void on_signal(int sig)
{
	int error = errno;
	char number = (char)sig;
	/* That it is full tells enough. */
	if (write(events[1], &number, 1) < 0)
		errno = error;
}

/*
 * Runs on a thread that glibc starts. That has no signal blocked, whatever the others
 * have: with a signalfd instead of handlers, it would take signals and lose them.
 */
static void on_message(union sigval unused)
{
	(void)unused;
	on_signal(SIGUSR1);
}

/*
 * Registers for one notification. It comes only when a message arrives at the empty
 * queue, so whoever arms takes everything there is afterwards, or comes back for it
 * without being told. False if another process is registered.
 */
static bool arm(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	if (by_thread) {
		event.sigev_notify = SIGEV_THREAD;
		event.sigev_notify_function = on_message;
	}
	if (mq_notify(queue, &event) == 0)
		return true;
	if (errno != EBUSY)
		die("mq_notify %s: %s", place.queue, strerror(errno));
	/* Read, a queue tells its state: QSIZE:0 NOTIFY:0 SIGNO:10 NOTIFY_PID:4711 */
	char line[256] = "";
	ssize_t n = pread(queue, line, sizeof line - 1, 0);
	const char *pid = n > 0 ? strstr(line, "NOTIFY_PID:") : NULL;
	fprintf(stderr, "%s: mq_notify %s: %s: process %d is to be told of messages already\n",
		program_invocation_short_name, place.queue, strerror(EBUSY), pid ? atoi(pid + strlen("NOTIFY_PID:")) : 0);
	return false;
}

#endif
