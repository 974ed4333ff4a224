/*
 * RPCSEC_GSS: RFC 2203. What is declared here is in rpc/rpcsec_gss.h and
 * rpc/svc_auth_gss.h, which need the header of GSS-API, from another package than
 * libtirpc's; and weak, as libtirpc may have been built without it.
 */
#include "conn.h"
#include "unp_sunrpc_client.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options_ret {
	int major, minor;
	u_int version;
	int flags, time;
	void *context;
	char mechanism[128];
};

struct raw_credential {
	u_int version;
	char *mechanism, *qop;
	void *client;
	char *server;
	int service;
};

extern AUTH *rpc_gss_seccreate(CLIENT *, char *, char *, int, char *, void *, struct options_ret *);
extern bool_t rpc_gss_set_svc_name(char *, char *, u_int, u_int, u_int);
extern bool_t rpc_gss_getcred(struct svc_req *, struct raw_credential **, void **, void **);
extern char *svcauth_gss_get_principal(SVCAUTH *);
#pragma weak rpc_gss_seccreate
#pragma weak rpc_gss_set_svc_name
#pragma weak rpc_gss_getcred
#pragma weak svcauth_gss_get_principal

/* gss_display_status(3) */
struct gss_buffer {
	size_t length;
	void *value;
};
typedef uint32_t display(uint32_t *, uint32_t, int, void *, uint32_t *, struct gss_buffer *);
enum { GSS_CODE = 1, MECHANISM_CODE = 2 };

/* Appends what GSS-API says of a code: libtirpc has loaded its library, nobody links with it. */
static void describe(uint32_t code, int type, char *text, size_t size)
{
	display *show;
	uint32_t minor, context = 0;
	struct gss_buffer said = {0};
	size_t used = strlen(text);

	*(void **)&show = dlsym(RTLD_DEFAULT, "gss_display_status");
	if (show == NULL || code == 0 || show(&minor, code, type, NULL, &context, &said) != 0)
		return;
	snprintf(text + used, size - used, "%s%.*s", used ? ": " : "", (int)said.length, (char *)said.value);
	free(said.value);
}

int unp_sunrpc_auth_gss(CLIENT *client, const char *principal, const char *mechanism, int protection,
			char *why, size_t size)
{
	struct options_ret ret = {0};

	*why = '\0';
	if (rpc_gss_seccreate == NULL)
		return ENOTSUP;
	AUTH *auth = rpc_gss_seccreate(client, (char *)principal, (char *)mechanism, protection, NULL, NULL, &ret);
	if (auth == NULL) {
		describe(ret.major, GSS_CODE, why, size);
		describe(ret.minor, MECHANISM_CODE, why, size);
		return EACCES;
	}
	auth_destroy(client->cl_auth);
	client->cl_auth = auth;
	return 0;
}

int unp_sunrpc_gss_name(const char *principal, const char *mechanism)
{
	if (rpc_gss_set_svc_name == NULL)
		return ENOTSUP;
	return rpc_gss_set_svc_name((char *)principal, (char *)mechanism, 0, 0, 0) ? 0 : EACCES;
}

int unp_sunrpc_gss_peer(struct svc_req *req, char *principal, char *mechanism, size_t size, int *protection)
{
	struct raw_credential *raw;

	if (rpc_gss_getcred == NULL || svcauth_gss_get_principal == NULL)
		return ENOTSUP;
	if (!rpc_gss_getcred(req, &raw, NULL, NULL))
		return ENOENT;
	char *name = svcauth_gss_get_principal(&SVC_XP_AUTH(req->rq_xprt));
	if (name == NULL)
		return ENOENT;
	snprintf(principal, size, "%s", name);
	snprintf(mechanism, size, "%s", raw->mechanism != NULL ? raw->mechanism : "");
	*protection = raw->service;
	free(name);
	return 0;
}
