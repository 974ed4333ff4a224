/*
 * A server's side of AUTH_DES, RFC 2695. libtirpc was built without it and refuses flavor
 * 3, in _gss_authenticate, which it calls like any other function of a library: the
 * definition here takes its place.
 */
#ifndef OLD_SERVER_H
#define OLD_SERVER_H

#include "key_server.h"

#include <rpc/svc_auth.h>

static bool des_accepted;
static const char *key_map;
static struct key our_secret; /* unless a key server has it: */
static const char *key_socket;
static unsigned max_window = 60;

static struct conversation {
	char name[NAME + 1]; /* "": free */
	struct block sealed, key;
	unsigned window;
	int64_t last; /* microseconds */
	unsigned long used;
} conversations[64];

static unsigned long uses;

static uint32_t word(const unsigned char *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void put_word(unsigned char *at, uint32_t w)
{
	for (int i = 0; i < 4; i++)
		at[i] = (unsigned char)(w >> (24 - 8 * i));
}

static enum auth_stat refused(enum auth_stat why, const char *name, const char *what)
{
	fprintf(stderr, "%s: a call refused: %s, %s: %s\n", program_invocation_short_name,
		why == AUTH_BADCRED ? "AUTH_BADCRED" : why == AUTH_REJECTEDCRED ? "AUTH_REJECTEDCRED" : why == AUTH_BADVERF ? "AUTH_BADVERF" : "AUTH_REJECTEDVERF",
		name, what);
	return why;
}

/* Judges a time, remembers it, and writes the reply's verifier without the nickname. */
static enum auth_stat in_time(struct conversation *c, struct block stamp, unsigned window, unsigned char reply[12])
{
	int64_t at = (int64_t)word(stamp.byte) * 1000000 + word(stamp.byte + 4), age;
	struct timespec now_is;

	clock_gettime(CLOCK_REALTIME, &now_is);
	age = (int64_t)now_is.tv_sec * 1000000 + now_is.tv_nsec / 1000 - at;
	if (age > window * (int64_t)1000000 || -age > window * (int64_t)1000000)
		return refused(AUTH_REJECTEDVERF, c->name, "the call is older than its window, or from the future");
	if (at <= c->last)
		return refused(AUTH_REJECTEDVERF, c->name, "a time seen before");
	c->last = at;
	c->window = window;
	c->used = ++uses;
	put_word(stamp.byte, word(stamp.byte) - 1);
	stamp = crypt_block(c->key, stamp, SEAL);
	memcpy(reply, &stamp, sizeof(stamp));
	return AUTH_OK;
}

static enum auth_stat full_name(const unsigned char *cred, u_int length, const unsigned char *verf,
				struct conversation **found, unsigned char reply[12])
{
	int (*cbc_crypt)(char *, char *, unsigned, unsigned, char *) = old("cbc_crypt");
	u_int n = word(cred + 4), padded = (n + 3) / 4 * 4, window;
	struct conversation fresh = { .last = -1 }, *c, *oldest = conversations;
	struct block text[2], start = { { 0 } };
	const char *wrong = NULL;
	struct keys theirs;
	enum auth_stat why;

	if (n == 0 || n > NAME || length != 8 + padded + 12)
		return refused(AUTH_BADCRED, "?", "malformed credential");
	memcpy(fresh.name, cred + 8, n);
	memcpy(&fresh.sealed, cred + 8 + padded, 8);
	if (!look_up(key_map, fresh.name, &theirs))
		return refused(AUTH_BADCRED, fresh.name, "no public key");
	fresh.key = fresh.sealed;
	if (key_socket)
		wrong = ask_key_server(key_socket, OPEN, &theirs, &fresh.key);
	else
		fresh.key = crypt_block(common_key(our_secret, key_of(theirs.public)), fresh.sealed, OPEN);
	if (wrong)
		return refused(AUTH_BADCRED, fresh.name, wrong);
	memcpy(&text[0], verf, 8);
	memcpy(&text[1].byte[0], cred + 16 + padded, 4);
	memcpy(&text[1].byte[4], verf + 8, 4);
	cbc_crypt((char *)fresh.key.byte, (char *)text, sizeof(text), OPEN, (char *)start.byte);
	window = word(text[1].byte);
	if (window == 0 || word(text[1].byte + 4) != window - 1 || word(text[0].byte + 4) >= 1000000)
		return refused(AUTH_BADCRED, fresh.name, "not sealed with this caller's key");
	if (window > max_window)
		window = max_window;
	for (c = conversations; c < conversations + 64; c++) {
		if (strcmp(c->name, fresh.name) == 0 && memcmp(&c->sealed, &fresh.sealed, 8) == 0) {
			*found = c;
			return in_time(c, text[0], window, reply);
		}
		if (c->used < oldest->used)
			oldest = c;
	}
	why = in_time(&fresh, text[0], window, reply);
	if (why == AUTH_OK) {
		*oldest = fresh;
		*found = oldest;
	}
	return why;
}

static enum auth_stat verify(const struct opaque_auth *cred, const struct opaque_auth *verf, struct conversation **found,
			     unsigned char reply[12])
{
	const unsigned char *c = (const unsigned char *)cred->oa_base, *v = (const unsigned char *)verf->oa_base;
	struct conversation *known;
	struct block stamp;

	if (cred->oa_length < 8)
		return refused(AUTH_BADCRED, "?", "malformed credential");
	if (verf->oa_length != 12)
		return refused(AUTH_BADVERF, "?", "malformed verifier");
	if (word(c) == 0)
		return full_name(c, cred->oa_length, v, found, reply);
	if (word(c) != 1 || cred->oa_length != 8)
		return refused(AUTH_BADCRED, "?", "malformed credential");
	if (word(c + 4) >= 64 || !conversations[word(c + 4)].name[0])
		return refused(AUTH_REJECTEDCRED, "?", "the nickname is not known here");
	known = &conversations[word(c + 4)];
	memcpy(&stamp, v, sizeof(stamp));
	stamp = crypt_block(known->key, stamp, OPEN);
	if (word(stamp.byte + 4) >= 1000000)
		return refused(AUTH_REJECTEDCRED, known->name, "not sealed with the conversation's key");
	*found = known;
	return in_time(known, stamp, known->window, reply);
}

enum auth_stat _gss_authenticate(struct svc_req *call, struct rpc_msg *message, bool_t *no_dispatch)
{
	enum auth_stat (*next)(struct svc_req *, struct rpc_msg *, bool_t *) = dlsym(RTLD_NEXT, "_gss_authenticate");
	struct opaque_auth *cred = &message->rm_call.cb_cred, *reply = &call->rq_xprt->xp_verf;
	struct conversation *c = NULL;
	unsigned char verifier[12];
	enum auth_stat why;

	if (cred->oa_flavor != AUTH_DES)
		return next(call, message, no_dispatch);
	cred->oa_flavor = AUTH_NONE; /* which prepares the answer */
	why = next(call, message, no_dispatch);
	cred->oa_flavor = call->rq_cred.oa_flavor = AUTH_DES;
	if (!des_accepted)
		return AUTH_TOOWEAK;
	if (why == AUTH_OK)
		why = verify(cred, &message->rm_call.cb_verf, &c, verifier);
	if (why != AUTH_OK)
		return why;
	reply->oa_flavor = AUTH_DES;
	reply->oa_length = sizeof(verifier);
	put_word(verifier + 8, (uint32_t)(c - conversations));
	memcpy(reply->oa_base, verifier, sizeof(verifier));
	strcpy(call->rq_clntcred, c->name); /* libtirpc has room for 400 bytes there */
	return AUTH_OK;
}

/* Accepts AUTH_DES; only once the linker is known to have put our function first. */
static void accept_des(const char *keys, const char *name, const char *password_file, const char *key_server_at, unsigned window)
{
	struct block any = { { 0 } };
	struct keys pair;
	const char *wrong;

	if (dlsym(RTLD_DEFAULT, "_gss_authenticate") != (void *)(uintptr_t)_gss_authenticate)
		die("libtirpc would not ask us about flavor 3");
	key_map = keys;
	key_socket = key_server_at;
	if (!key_socket) {
		our_secret = open_secret(keys, name, password_file);
	} else {
		/* What would fail with every call fails at once. */
		pair = keys_of(keys, name);
		wrong = ask_key_server(key_socket, SEAL, &pair, &any);
		if (wrong)
			die("%s: %s", key_socket, wrong);
	}
	max_window = window;
	des_accepted = true;
}

#endif
