/* What a key server does with keys, for a caller whom the kernel knows. */
#ifndef KEYSERV_KEYS_H
#define KEYSERV_KEYS_H

#include <sys/socket.h>

#include "key_server.h"
#include "keystore.h"

static const char *key_map; /* of those who are named; NULL: nobody is known */

/* The caller's, as the kernel says: what a credential claims does not count. */
static uid_t uid_of(struct svc_req *call)
{
	struct ucred peer = { .uid = (uid_t)-1 };
	socklen_t size = sizeof(peer);

	getsockopt(call->rq_xprt->xp_fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
	return peer.uid;
}

/* A key of 48 digits, behind which libraries send a zero byte. */
static bool read_digits(const char *digits, size_t length, char text[PUBLIC + 1])
{
	if (length < PUBLIC || (length > PUBLIC && digits[PUBLIC]))
		return false;
	memcpy(text, digits, PUBLIC);
	text[PUBLIC] = '\0';
	return hex_digits(text, PUBLIC);
}

static keyserv_status set(struct svc_req *call, char *digits, const char *public, const char *name)
{
	static const struct key three = { { 0, 0, 3 } }, zero;
	char text[PUBLIC + 1], pair[PUBLIC + 1];
	keyserv_status status = KEYSERV_SYSTEM_ERROR;
	struct key secret;

	if (!*digits) {
		forget(uid_of(call));
		return KEYSERV_SUCCESS;
	}
	if (read_digits(digits, PUBLIC, text)) {
		secret = key_of(text);
		print_key(power(three, secret), pair);
		if (compare(&secret, &zero) && (!public || strncasecmp(public, pair, PUBLIC) == 0) &&
		    keep(uid_of(call), &secret, pair, name))
			status = KEYSERV_SUCCESS;
	}
	explicit_bzero(&secret, sizeof(secret));
	explicit_bzero(text, sizeof(text));
	explicit_bzero(digits, PUBLIC);
	return status;
}

/* Does something with a block and the common key of the caller and the owner of a key. */
static keyserv_crypt_result *crypt_for(struct svc_req *call, const char *public, unsigned mode, const keyserv_block *b)
{
	static keyserv_crypt_result r;
	int user = number_of(uid_of(call), false);
	struct block block;

	r.status = user == -1 ? KEYSERV_NO_SECRET : !public ? KEYSERV_UNKNOWN : KEYSERV_SUCCESS;
	if (r.status == KEYSERV_SUCCESS && !public_key(public))
		r.status = KEYSERV_SYSTEM_ERROR;
	if (r.status != KEYSERV_SUCCESS)
		return &r;
	block = common_key(secrets[user], key_of(public));
	if (b) {
		struct block text;

		memcpy(&text, b->bytes, sizeof(text));
		block = crypt_block(block, text, mode);
	}
	memcpy(r.keyserv_crypt_result_u.block.bytes, &block, sizeof(block));
	return &r;
}

static keyserv_crypt_result *crypt_named(struct svc_req *call, keyserv_crypt_args *a, unsigned mode)
{
	struct keys k;
	bool known = key_map && look_up(key_map, a->name, &k);

	return crypt_for(call, known ? k.public : NULL, mode, &a->block);
}

static keyserv_crypt_result *crypt_given(struct svc_req *call, keyserv_crypt_pk_args *a, unsigned mode)
{
	char text[PUBLIC + 1];
	bool sound = read_digits(a->public_key.public_key_val, a->public_key.public_key_len, text);

	return crypt_for(call, sound ? text : "", mode, &a->block);
}

#endif
