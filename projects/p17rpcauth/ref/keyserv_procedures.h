/* The procedures of keyserv.x. rpcgen's dispatcher sends a result after the return, so it
 * is in static memory. */
#ifndef KEYSERV_PROCEDURES_H
#define KEYSERV_PROCEDURES_H

#include <grp.h>
#include <pwd.h>
#include <sys/random.h>

#define KEYSERV_SERVER
#include "keyserv_keys.h"

static const char *domain; /* of the netnames of this host's users */

keyserv_set_result *keyserv_set_2_svc(keyserv_digits *a, struct svc_req *call)
{
	static keyserv_set_result r;

	r.status = set(call, a->digits, NULL, "");
	return &r;
}

keyserv_set_result *keyserv_net_put_2_svc(keyserv_net *a, struct svc_req *call)
{
	static keyserv_set_result r;

	r.status = set(call, a->secret_key.digits, a->public_key.digits, a->name);
	return &r;
}

static keyserv_net_result given_back; /* wiped once it is sent */

keyserv_net_result *keyserv_net_get_2_svc(void *nothing, struct svc_req *call)
{
	int user = number_of(uid_of(call), false);
	keyserv_net *net = &given_back.keyserv_net_result_u.net;
	char digits[PUBLIC + 1];

	(void)nothing;
	given_back.status = user == -1 ? KEYSERV_NO_SECRET : KEYSERV_SUCCESS;
	if (user == -1)
		return &given_back;
	print_key(secrets[user], digits);
	memcpy(net->secret_key.digits, digits, PUBLIC);
	memcpy(net->public_key.digits, users[user].public, PUBLIC);
	net->name = users[user].name;
	explicit_bzero(digits, sizeof(digits));
	return &given_back;
}

keyserv_crypt_result *keyserv_encrypt_2_svc(keyserv_crypt_args *a, struct svc_req *call)
{
	return crypt_named(call, a, SEAL);
}

keyserv_crypt_result *keyserv_decrypt_2_svc(keyserv_crypt_args *a, struct svc_req *call)
{
	return crypt_named(call, a, OPEN);
}

keyserv_crypt_result *keyserv_encrypt_pk_2_svc(keyserv_crypt_pk_args *a, struct svc_req *call)
{
	return crypt_given(call, a, SEAL);
}

keyserv_crypt_result *keyserv_decrypt_pk_2_svc(keyserv_crypt_pk_args *a, struct svc_req *call)
{
	return crypt_given(call, a, OPEN);
}

keyserv_crypt_result *keyserv_get_conv_2_svc(keyserv_digits *a, struct svc_req *call)
{
	char text[PUBLIC + 1];

	return crypt_for(call, read_digits(a->digits, PUBLIC, text) ? text : "", SEAL, NULL);
}

keyserv_block *keyserv_gen_2_svc(void *nothing, struct svc_req *call)
{
	static keyserv_block key;
	void (*set_parity)(char *) = old("des_setparity");

	(void)nothing;
	if (getrandom(key.bytes, sizeof(key.bytes), 0) != sizeof(key.bytes)) {
		svcerr_systemerr(call->rq_xprt);
		return NULL;
	}
	set_parity(key.bytes);
	return &key;
}

/* Knows the users of this host by names like unix.1000@domain. */
keyserv_cred_result *keyserv_getcred_2_svc(keyserv_netname *a, struct svc_req *call)
{
	static keyserv_cred_result r;
	static gid_t groups[NGROUPS_MAX];
	keyserv_cred *cred = &r.keyserv_cred_result_u.cred;
	int count = NGROUPS_MAX, at = 0;
	unsigned long uid = ULONG_MAX;
	struct passwd *p;

	(void)call;
	r.status = KEYSERV_UNKNOWN;
	if (sscanf(a->name, "unix.%10[0-9]@%n", (char[11]){ "" }, &at) != 1 || !at || !*domain || strcmp(a->name + at, domain) != 0)
		return &r;
	uid = strtoul(a->name + strlen("unix."), NULL, 10);
	if (uid > UINT_MAX || !(p = getpwuid((uid_t)uid)) || getgrouplist(p->pw_name, p->pw_gid, groups, &count) == -1)
		return &r;
	cred->uid = p->pw_uid;
	cred->gid = p->pw_gid;
	cred->gids.gids_len = count < KEYSERV_MAX_GROUPS ? (u_int)count : KEYSERV_MAX_GROUPS;
	cred->gids.gids_val = groups;
	r.status = KEYSERV_SUCCESS;
	return &r;
}

/* Procedures 1 to 5 are the same in version 1. */
keyserv_set_result *keyserv_set_1_svc(keyserv_digits *a, struct svc_req *call)
{
	return keyserv_set_2_svc(a, call);
}

keyserv_crypt_result *keyserv_encrypt_1_svc(keyserv_crypt_args *a, struct svc_req *call)
{
	return crypt_named(call, a, SEAL);
}

keyserv_crypt_result *keyserv_decrypt_1_svc(keyserv_crypt_args *a, struct svc_req *call)
{
	return crypt_named(call, a, OPEN);
}

keyserv_block *keyserv_gen_1_svc(void *nothing, struct svc_req *call)
{
	return keyserv_gen_2_svc(nothing, call);
}

keyserv_cred_result *keyserv_getcred_1_svc(keyserv_netname *a, struct svc_req *call)
{
	return keyserv_getcred_2_svc(a, call);
}

static void dispatch(struct svc_req *call, SVCXPRT *x)
{
	if (call->rq_vers == KEYSERV_VERS)
		keyserv_prog_1(call, x);
	else
		keyserv_prog_2(call, x);
	explicit_bzero(&given_back, sizeof(given_back));
}

#endif
