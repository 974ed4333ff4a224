/* Credentials of a client. */
#include "unp_sunrpc_client.h"

#include <stdlib.h>
#include <string.h>

#define MAX_GROUPS 16
#define MAX_MACHINE 255

static void use(CLIENT *client, AUTH *auth)
{
	auth_destroy(client->cl_auth);
	client->cl_auth = auth;
}

int unp_sunrpc_auth_sys(CLIENT *client, const char *machine, uid_t uid, gid_t gid, const gid_t *gids,
			size_t count)
{
	if (count > MAX_GROUPS || strlen(machine) > MAX_MACHINE)
		return EINVAL;
	AUTH *auth = authunix_create((char *)machine, uid, gid, count, (gid_t *)gids);
	if (auth == NULL)
		return ENOMEM;
	use(client, auth);
	return 0;
}

struct plugged {
	AUTH auth;
	struct unp_sunrpc_flavor flavor;
	uintptr_t cookie;
	char cred[MAX_AUTH_BYTES], verf[MAX_AUTH_BYTES];
};

static struct plugged *of(AUTH *auth)
{
	return auth->ah_private;
}

static void nextverf(AUTH *auth)
{
	(void)auth;
}

static int marshal(AUTH *auth, XDR *xdrs)
{
	struct plugged *p = of(auth);

	auth->ah_cred = (struct opaque_auth){.oa_base = p->cred};
	auth->ah_verf = (struct opaque_auth){.oa_base = p->verf};
	return p->flavor.marshal(p->cookie, &auth->ah_cred, &auth->ah_verf) &&
	       xdr_opaque_auth(xdrs, &auth->ah_cred) && xdr_opaque_auth(xdrs, &auth->ah_verf);
}

static int validate(AUTH *auth, struct opaque_auth *verf)
{
	return of(auth)->flavor.validate(of(auth)->cookie, verf);
}

static int refresh(AUTH *auth, void *message)
{
	struct rpc_msg *reply = message;

	/* Asked after every failure; another credential helps with one kind of them. */
	if (reply->rm_reply.rp_stat != MSG_DENIED || reply->rjcted_rply.rj_stat != AUTH_ERROR)
		return FALSE;
	return of(auth)->flavor.refresh(of(auth)->cookie, reply->rjcted_rply.rj_why);
}

static void destroy(AUTH *auth)
{
	free(of(auth));
}

static int as_it_is(AUTH *auth, XDR *xdrs, xdrproc_t proc, caddr_t where)
{
	(void)auth;
	return proc(xdrs, where);
}

static struct auth_ops ops = {nextverf, marshal, validate, refresh, destroy, as_it_is, as_it_is};

int unp_sunrpc_auth_plugged(CLIENT *client, const struct unp_sunrpc_flavor *flavor, uintptr_t cookie)
{
	struct plugged *p = calloc(1, sizeof *p);

	if (p == NULL)
		return ENOMEM;
	p->auth.ah_ops = &ops;
	p->auth.ah_private = p;
	p->flavor = *flavor;
	p->cookie = cookie;
	use(client, &p->auth);
	return 0;
}
