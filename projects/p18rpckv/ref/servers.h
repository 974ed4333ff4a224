/* The servers of a cluster, and calls that are made until one of them gives a result. */
#ifndef SERVERS_H
#define SERVERS_H

#include <ctype.h>
#include <sys/random.h>

#pragma GCC diagnostic ignored "-Wunused-function"
#include "../../p16rpccalc/ref/reach.h"
#include "stubs.h"

enum { MAX_SERVERS = 64 };

/* As they are called one after the other, until one answers. */
static struct server {
	char *addr, host[256];
	unsigned port;
	CLIENT *connection;
	char why[300]; /* it has not answered the call */
} servers[MAX_SERVERS];
static int server_count, answers_last;

/* What a call is: all results but the state begin with a status. */
struct procedure {
	rpcproc_t number;
	xdrproc_t args, result;
	bool harmful; /* who made it and got no answer must know whether it was done */
};

static const struct procedure
	putting = { KV_PUT, (xdrproc_t)(void *)xdr_kv_put_args, (xdrproc_t)(void *)xdr_kv_write_result, true },
	getting = { KV_GET, (xdrproc_t)(void *)xdr_kv_get_args, (xdrproc_t)(void *)xdr_kv_get_result, false },
	deleting = { KV_DELETE, (xdrproc_t)(void *)xdr_kv_delete_args, (xdrproc_t)(void *)xdr_kv_write_result, true },
	swapping = { KV_CAS, (xdrproc_t)(void *)xdr_kv_cas_args, (xdrproc_t)(void *)xdr_kv_write_result, true },
	listing = { KV_LIST, (xdrproc_t)(void *)xdr_kv_list_args, (xdrproc_t)(void *)xdr_kv_list_result, false },
	watching = { KV_WATCH, (xdrproc_t)(void *)xdr_kv_watch_args, (xdrproc_t)(void *)xdr_kv_watch_result, false },
	looking = { KV_STATUS, (xdrproc_t)(void *)xdr_void, (xdrproc_t)(void *)xdr_kv_state, false },
	membership = { KV_MEMBER, (xdrproc_t)(void *)xdr_kv_member_args, (xdrproc_t)(void *)xdr_kv_member_result, true };

union result {
	kv_status status;
	kv_write_result write;
	kv_get_result get;
	kv_list_result list;
	kv_watch_result watch;
	kv_state state;
	kv_member_result member;
};

/* What a call ends with, besides a kv_status. */
enum { UNKNOWN = -1, NOBODY = -2 /* nothing was done */ };

static char failure[4096]; /* and why */
static char reason[300];   /* that one try has failed */

#define STARTING 2.0  /* s: how long to go on where nobody answers: they may just be started */
#define ONE_TRY 6.0   /* s: more than a server takes to find out that there is no majority */
#define PAUSE_NS 50000000

/* A server that is tried gets a connection, or a reason why not. */
static bool dial(struct server *s, double deadline)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV }, *found;
	char port[8];
	int error;

	if (s->connection)
		return true;
	snprintf(port, sizeof(port), "%u", s->port);
	error = getaddrinfo(s->host, port, &hints, &found);
	if (error) {
		snprintf(reason, sizeof(reason), "%s", gai_strerror(error));
		return false;
	}
	for (struct addrinfo *a = found; a && !s->connection; a = a->ai_next) {
		struct place p = { .size = a->ai_addrlen };

		memcpy(&p.any, a->ai_addr, a->ai_addrlen < sizeof(p.un) ? a->ai_addrlen : sizeof(p.un));
		s->connection = reach(TCP, p, KV_PROG, KV_VERS, deadline);
		error = errno;
	}
	freeaddrinfo(found);
	if (s->connection)
		return true;
	snprintf(reason, sizeof(reason), "%s", error == ETIMEDOUT ? "no answer in time" : strerror(error));
	reason[0] = (char)tolower(reason[0]);
	return false;
}

/* One call at one server; false: it has not answered, and reason says why. */
static bool called(struct server *s, const struct procedure *p, void *args, union result *result, double deadline)
{
	struct timeval left = until(deadline);
	struct rpc_err e;
	enum clnt_stat stat;

	memset(result, 0, sizeof(*result));
	clnt_control(s->connection, CLSET_TIMEOUT, (char *)&left);
	stat = clnt_call(s->connection, p->number, p->args, args, p->result, (char *)result, left);
	if (stat == RPC_SUCCESS)
		return true;
	xdr_free(p->result, result);
	clnt_geterr(s->connection, &e);
	if (stat == RPC_TIMEDOUT)
		snprintf(reason, sizeof(reason), "no answer in time");
	else if ((stat == RPC_CANTSEND || stat == RPC_CANTRECV) && e.re_errno)
		snprintf(reason, sizeof(reason), "%s", strerror(e.re_errno));
	else if (stat == RPC_CANTRECV)
		snprintf(reason, sizeof(reason), "it has ended the connection");
	else
		snprintf(reason, sizeof(reason), "%s", clnt_sperrno(stat));
	reason[0] = (char)tolower(reason[0]);
	clnt_destroy(s->connection);
	s->connection = NULL;
	return false;
}

static int unknown(const char *maybe)
{
	snprintf(failure, sizeof(failure), "outcome unknown: %s", maybe);
	return UNKNOWN;
}

/* What the servers that have not answered have to say for themselves, in brackets or not. */
static int silent(const char *what, const char *begin, const char *end)
{
	size_t used = (size_t)snprintf(failure, sizeof(failure), "%s", what);

	for (int i = 0; i < server_count && used < sizeof(failure); i++) {
		if (!*servers[i].why)
			continue;
		used += (size_t)snprintf(failure + used, sizeof(failure) - used, "%s%s: %s", begin, servers[i].addr, servers[i].why);
		begin = "; ";
	}
	if (strcmp(begin, "; ") == 0 && used < sizeof(failure))
		snprintf(failure + used, sizeof(failure) - used, "%s", end);
	return NOBODY;
}

/*
 * Makes a call at one server after the other, each within its patience, until one gives a
 * result or the deadline is there: without a majority too, for an election may be under way,
 * while there is time for whole tries; one that is cut off would make the outcome unknown.
 * Where nobody answers at all it ends soon.
 */
static int ask(const struct procedure *p, void *args, union result *result, double deadline, double patience)
{
	bool refused = false;
	char maybe[600] = "";
	double begin = now();

	for (int i = 0; i < server_count; i++)
		servers[i].why[0] = '\0';
	do {
		bool answered = false;

		for (int round = 0; round < server_count; round++) {
			struct server *s = &servers[answers_last];
			double end = now() + patience < deadline ? now() + patience : deadline;
			bool sent = dial(s, end);
			kv_status status = KV_OK;

			if (sent && called(s, p, args, result, end)) {
				if (p != &looking)
					status = result->status;
				if (status == KV_CONFLICT && *maybe) /* maybe by an earlier try of ours */
					return unknown(maybe);
				if (status != KV_UNKNOWN && status != KV_NO_QUORUM)
					return (int)status;
				answered = true;
				refused |= status == KV_NO_QUORUM;
				if (status == KV_UNKNOWN)
					snprintf(maybe, sizeof(maybe), "%s: outcome unknown", s->addr);
			} else {
				if (sent && p->harmful)
					snprintf(maybe, sizeof(maybe), "%s: %s", s->addr, reason);
				if (now() < deadline || !*s->why) /* else it had no time left */
					strcpy(s->why, reason);
			}
			answers_last = (answers_last + 1) % server_count;
			if (now() >= deadline)
				break;
		}
		if (!*maybe && refused && deadline - now() < patience)
			break;
		if (!*maybe && !refused && !answered && now() - begin > STARTING)
			break;
		nanosleep(&(struct timespec){ .tv_nsec = PAUSE_NS }, NULL);
	} while (now() < deadline);
	if (*maybe)
		return unknown(maybe);
	if (refused)
		return silent("no majority of servers answers", " (", ")");
	return silent("no server answers: ", "", "");
}

/* Which write it is: sent again it is the same one, and done once. */
static kv_write_id write_id(void)
{
	kv_write_id id = { .sequence = 1 };

	if (getrandom(id.client, sizeof(id.client), 0) != sizeof(id.client))
		die("getrandom: %s", strerror(errno));
	return id;
}

/* A server's address, host:port, with one name for this host. */
static void add_server(char *text, const char *flag)
{
	struct server *s = &servers[server_count];
	char *colon = strrchr(text, ':'), *host = text, *end;
	size_t size = colon ? (size_t)(colon - text) : 0;
	bool bracketed = size > 2 && *host == '[' && colon[-1] == ']';

	if (bracketed) {
		host++;
		size -= 2;
	}
	if (!size || size >= sizeof(s->host) || (!bracketed && memchr(host, ':', size)))
		bad_usage("%s\"%s\" is no host:port", flag, text);
	s->port = (unsigned)strtoul(colon + 1, &end, 10);
	if (!isdigit(colon[1]) || *end || s->port < 1 || s->port > 65535)
		bad_usage("%s\"%s\": the port is not between 1 and 65535", flag, text);
	for (size_t i = 0; i < size; i++)
		s->host[i] = (char)tolower(host[i]);
	s->host[size] = '\0';
	if (strcmp(s->host, "127.0.0.1") == 0 || strcmp(s->host, "::1") == 0)
		strcpy(s->host, "localhost");
	if (asprintf(&s->addr, strchr(s->host, ':') ? "[%s]:%u" : "%s:%u", s->host, s->port) == -1)
		die("%s", strerror(ENOMEM));
	if (++server_count == MAX_SERVERS)
		bad_usage("--server: more than %d", MAX_SERVERS - 1);
}

#endif
