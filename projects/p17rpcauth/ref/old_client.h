/*
 * A client of AUTH_DES by glibc's own old implementation, connection included. Its handle is
 * used through libtirpc's stubs: the head of a CLIENT and of an XDR are the same in both.
 */
#ifndef OLD_CLIENT_H
#define OLD_CLIENT_H

#include "key_server.h"

#include <sys/random.h>

/* Private to glibc, but fixed, since the programs that need it are old. */
struct old_conversation {
	char *name;
	unsigned name_length; /* rounded up to 4 */
	char *server;
	unsigned server_length;
	uint32_t window;
	int synchronize;
	struct sockaddr time_server;
	uint32_t clock_seconds, clock_microseconds; /* the server's less ours */
	uint32_t nickname;
	int name_kind;
	char *credential_name;
};

/* As clnt_geterr gives it: longer than libtirpc's. */
struct old_error {
	int status;
	union {
		int errno_or_why;
		struct {
			unsigned long low, high;
		} versions;
	} u;
};

/* cryptkeyarg2 and cryptkeyres of key_prot.x. */
struct crypt_argument {
	char *name;
	struct {
		unsigned length;
		char *bytes;
	} public;
	struct block key;
};

struct crypt_result {
	int status;
	struct block key;
};

static struct block common; /* with the server, unless a key server has our key: */
static const char *key_socket;
static struct keys *peer;

/* What glibc calls instead of the key server that it knows of. */
static struct crypt_result *seal(uid_t uid, char *argument)
{
	static struct crypt_result result;
	struct crypt_argument a;
	const char *wrong;

	(void)uid;
	memcpy(&a, argument, sizeof(a));
	result.key = a.key;
	if (!key_socket) {
		result.key = crypt_block(common, a.key, SEAL);
		return &result;
	}
	wrong = ask_key_server(key_socket, SEAL, peer, &result.key);
	if (wrong)
		die("%s: %s", key_socket, wrong);
	return &result;
}

/* A credential; NULL if glibc makes none. */
static AUTH *old_authdes(const char *name, const char *server, const char *public, unsigned window, long offset)
{
	AUTH *(*create)(const char *, void *, unsigned, struct sockaddr *, struct block *) = old("authdes_pk_create");
	void (*set_parity)(char *) = old("des_setparity");
	struct { unsigned length; char *bytes; } key = { PUBLIC + 1, (char *)(uintptr_t)public };
	unsigned length = (unsigned)strlen(name);
	struct old_conversation *c;
	struct block conversation;
	AUTH *a;

	if (getrandom(&conversation, sizeof(conversation), 0) != sizeof(conversation))
		return NULL;
	set_parity((char *)conversation.byte);
	*(struct crypt_result *(**)(uid_t, char *))old("__key_encryptsession_pk_LOCAL") = seal;
	a = create(server, &key, window, NULL, &conversation);
	if (!a)
		return NULL;
	/* It takes its name from the system, as root "unix.host@domain". Ours is in the file. */
	c = a->ah_private;
	if (c->window != window || strcmp(c->server, server) != 0 || c->credential_name != c->name)
		die("this C library's AUTH_DES is not the one that we know");
	c->name_length = (length + 3) / 4 * 4;
	free(c->name);
	c->name = c->credential_name = calloc(1, c->name_length + 1);
	memcpy(c->name, name, length);
	c->clock_seconds += (uint32_t)offset;
	return a;
}

/* As reach() of exercise 16, with a handle of glibc's. */
static CLIENT *old_reach(enum transport t, struct place p, unsigned prog, unsigned vers, double deadline)
{
	CLIENT *(*tcp)(struct sockaddr_in *, unsigned long, unsigned long, int *, unsigned, unsigned) = old("clnttcp_create");
	CLIENT *(*udp)(struct sockaddr_in *, unsigned long, unsigned long, struct timeval, int *) = old("clntudp_create");
	CLIENT *(*local)(struct sockaddr_un *, unsigned long, unsigned long, int *, unsigned, unsigned) = old("clntunix_create");
	int fd = connected(t, &p, deadline);
	struct timeval left;
	CLIENT *c;

	if (fd == -1)
		return NULL;
	switch (t) {
	case TCP: c = tcp(&p.in, prog, vers, &fd, 0, 0); break;
	case UDP: c = udp(&p.in, prog, vers, (struct timeval){ 1, 0 }, &fd); break;
	default: c = local(&p.un, prog, vers, &fd, 0, 0);
	}
	if (!c)
		die("glibc makes no client handle");
	left = until(deadline);
	clnt_control(c, CLSET_TIMEOUT, (char *)&left);
	return c;
}

/* What went wrong with a call. */
static struct rpc_err old_error_of(CLIENT *c)
{
	union {
		struct old_error old;
		struct rpc_err room;
	} from = { { 0 } };
	struct rpc_err e = { 0 };

	clnt_geterr(c, &from.room);
	e.re_status = (enum clnt_stat)from.old.status;
	if (e.re_status == RPC_PROGVERSMISMATCH) {
		e.re_vers.low = (rpcvers_t)from.old.u.versions.low;
		e.re_vers.high = (rpcvers_t)from.old.u.versions.high;
	} else {
		e.re_errno = from.old.u.errno_or_why; /* the same place */
	}
	return e;
}

#endif
