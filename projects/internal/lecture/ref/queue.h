/* A System V message queue that is made or found, and its mark. */
#ifndef QUEUE_H
#define QUEUE_H

#include <sys/msg.h>

#include "../../marks/ref/mark.h"
#include "lecture.h"

static struct {
	int id; /* -1: not there yet */
	struct mark mark;
} queue = {.id = -1};

static inline void remove_queue(void)
{
	if (queue.id == -1)
		return;
	msgctl(queue.id, IPC_RMID, NULL);
	unmark(&queue.mark);
}

static inline void make_queue(const char *scope, key_t key)
{
	bool made;

	hold_end(SIG_BLOCK);
	do {
		queue.id = msgget(key, IPC_CREAT | IPC_EXCL | 0600);
		made = queue.id != -1;
		if (!made && errno == EEXIST)
			queue.id = msgget(key, 0);
	} while (queue.id == -1 && errno == ENOENT); /* it was removed meanwhile */
	if (queue.id == -1)
		die("msgget key %s: %s", key_text(key), strerror(errno));
	hold_end(SIG_UNBLOCK);
	share(&queue.mark, scope, "queue", key_text(key), queue.id, made);
}

#endif
