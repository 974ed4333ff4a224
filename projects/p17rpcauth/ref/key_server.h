/* A key server's clients: those who log in to it, and those who use their keys there. */
#ifndef KEY_SERVER_H
#define KEY_SERVER_H

#include "../../p16rpccalc/ref/reach.h"

#include "keymap.h"
#include "keyserv_stubs.h"

/* A connection; NULL and errno if nobody is there. */
static inline CLIENT *key_server(const char *path)
{
	return reach(UNIX, at_path(path), KEYSERV_PROG, KEYSERV_VERS2, now() + 5);
}

/* NULL, or what is wrong; c is done with. */
static inline const char *outcome(CLIENT *c, const keyserv_status *status)
{
	static const char *const texts[] = { [KEYSERV_NO_SECRET] = "the key server has no secret key of this user",
		[KEYSERV_UNKNOWN] = "the key server does not know this netname",
		[KEYSERV_SYSTEM_ERROR] = "the key server failed" };
	struct rpc_err e;

	clnt_geterr(c, &e);
	auth_destroy(c->cl_auth);
	clnt_destroy(c);
	if (!status)
		return clnt_sperrno(e.re_status);
	return *status <= KEYSERV_SYSTEM_ERROR ? texts[*status] : "the key server says something else";
}

/* Has a block sealed or opened with the common key of us and the owner of a public key. */
static inline const char *ask_key_server(const char *path, unsigned mode, struct keys *other, struct block *b)
{
	keyserv_crypt_pk_args args = { .name = other->name, .public_key = { PUBLIC, other->public } };
	CLIENT *c = key_server(path);
	keyserv_crypt_result *r;
	const char *wrong;

	if (!c)
		return strerror(errno);
	memcpy(args.block.bytes, b, sizeof(*b));
	r = mode == SEAL ? keyserv_encrypt_pk_2(&args, c) : keyserv_decrypt_pk_2(&args, c);
	wrong = outcome(c, r ? &r->status : NULL);
	if (!wrong)
		memcpy(b, r->keyserv_crypt_result_u.block.bytes, sizeof(*b));
	return wrong;
}

/* Gives a key server our secret key, or with NULL has it forget that. */
static inline const char *log_in(const char *path, const struct key *secret, struct keys *pair)
{
	char digits[PUBLIC + 1];
	keyserv_net args = { .name = (char *)"" };
	CLIENT *c = key_server(path);
	keyserv_set_result *r;
	const char *wrong;

	if (!c)
		return strerror(errno);
	if (secret) {
		print_key(*secret, digits);
		memcpy(args.secret_key.digits, digits, PUBLIC);
		memcpy(args.public_key.digits, pair->public, PUBLIC);
		args.name = pair->name;
		r = keyserv_net_put_2(&args, c);
	} else {
		r = keyserv_set_2(&args.secret_key, c);
	}
	wrong = outcome(c, r ? &r->status : NULL);
	explicit_bzero(digits, sizeof(digits));
	explicit_bzero(&args, sizeof(args));
	return wrong;
}

#endif
