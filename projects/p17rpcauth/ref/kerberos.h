/*
 * RPCSEC_GSS by libtirpc. The declarations are those of rpc/rpcsec_gss.h, which needs the
 * headers of GSS-API, from another package than libtirpc's.
 */
#ifndef KERBEROS_H
#define KERBEROS_H

#include <rpc/rpc.h>

struct gss_outcome {
	int major, minor;
	u_int version;
	int flags, time;
	void *context;
	char mechanism[128];
};

struct gss_raw_credential {
	u_int version;
	char *mechanism, *qop;
	void *client;
	char *server;
	int service; /* 1: authentication, 2: integrity, 3: privacy */
};

extern AUTH *rpc_gss_seccreate(CLIENT *, char *, char *, int, char *, void *, struct gss_outcome *);
extern bool_t rpc_gss_set_svc_name(char *, char *, u_int, u_int, u_int);
extern bool_t rpc_gss_getcred(struct svc_req *, struct gss_raw_credential **, void **, void **);
extern char *svcauth_gss_get_principal(SVCAUTH *);

#define KERBEROS "kerberos_v5"

/* For a build with the leak sanitizer: libtirpc loses a credential with each context. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libgssapi_krb5\nleak:libkrb5\n";
}

static const char *const protections[] = { "none", "integrity", "privacy" };

/* 1, 2 or 3. */
static int protection_named(const char *text)
{
	for (int i = 0; i < 3; i++)
		if (strcmp(text, protections[i]) == 0)
			return i + 1;
	bad_usage("--protect: %s is not none, integrity or privacy", text);
}

#endif
