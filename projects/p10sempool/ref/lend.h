/* The manager's side of lending: a socket, its clients, and the connections. */
#ifndef LEND_H
#define LEND_H

#include "backend.h"

#define CLIENTS 64

static int listener = -1;
static int clients[CLIENTS];
static int client_count;
static int connections[MAX_SLOTS]; /* descriptors; -1: to be opened */

/* Opens the socket that workers ask at. The kernel chooses its name, in no folder. */
static inline void listen_for_workers(void)
{
	struct sockaddr_un own = {.sun_family = AF_UNIX};
	socklen_t len = sizeof own;
	listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&own, sizeof(sa_family_t)) != 0 ||
		listen(listener, 128) != 0 || getsockname(listener, (struct sockaddr *)&own, &len) != 0)
		die("socket for workers: %s", strerror(errno));
	lock();
	memset(pool->address, 0, sizeof pool->address);
	memcpy(pool->address, own.sun_path + 1, len - offsetof(struct sockaddr_un, sun_path) - 1);
	unlock();
}

static inline void accept_worker(void)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0)
		clients[client_count++] = fd;
}

/* Opens connection k. Returns why it cannot, NULL if it can. */
static inline const char *open_connection(uint32_t k)
{
	static char why[120];
	connections[k] = dial();
	if (connections[k] >= 0)
		return NULL;
	snprintf(why, sizeof why, "connect %s: %s", backend, strerror(errno));
	return why;
}

/* Closes connection k, which is not fit to be lent again. */
static inline void discard(FILE *log, uint32_t k, const char *why)
{
	if (connections[k] < 0)
		return;
	drop(connections[k]);
	connections[k] = -1;
	fprintf(log, "Connection %u: replaced (%s)\n", k + 1, why);
}

/* Whether a worker holds what it asks for. dirty: the one before it died with it. */
static inline bool entitled(int client, const struct request *r, bool *dirty)
{
	pid_t pid;
	if (memcmp(r->magic, LEND, 8) || r->entry >= ENTRIES || r->slot >= pool->slots ||
		!same_user(client, &pid) || !try_lock())
		return false;
	const struct entry *e = &pool->table[r->entry];
	bool holds = e->state == HOLDING && e->slot == r->slot && e->serial == r->serial && e->pid == pid;
	if (holds) {
		*dirty = pool->slot[r->slot].dirty;
		pool->slot[r->slot].dirty = 0;
	}
	unlock();
	return holds;
}

/* Answers one worker that has asked. */
static inline void lend(FILE *log, int client)
{
	struct request r;
	struct answer a = {.status = 1};
	bool dirty = false;
	const char *why = NULL;
	if (recv(client, &r, sizeof r, 0) != sizeof r)
		return; /* it is gone */
	a.slot = r.slot;
	if (!entitled(client, &r, &dirty)) {
		snprintf(a.text, sizeof a.text, "not held by who asks for it");
		send_answer(client, &a, -1);
		return;
	}
	if (dirty)
		discard(log, r.slot, "its worker died");
	else if (connections[r.slot] >= 0 && (why = broken(connections[r.slot])))
		discard(log, r.slot, why);
	why = connections[r.slot] < 0 ? open_connection(r.slot) : NULL;
	if (why) {
		snprintf(a.text, sizeof a.text, "%s", why);
		send_answer(client, &a, -1);
		return;
	}
	a.status = 0;
	send_answer(client, &a, connections[r.slot]);
}

/* One worker is served at a time, so that deaths are noticed between two. */
static inline void serve(FILE *log, uint32_t i)
{
	int client = clients[i];
	clients[i] = clients[--client_count];
	lend(log, client);
	close(client);
}

#endif
