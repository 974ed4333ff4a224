/* Accepted or refused, and why. */
#ifndef GUARD_H
#define GUARD_H

#include "../../p16rpccalc/ref/serve.h"

#include "kerberos.h"
#include "policy.h"

static bool accepts[RPCSEC_GSS + 1], peercred; /* by flavor */
static int protection = 1; /* of gss: what a call must have at least */

static const char *describe(const struct caller *c)
{
	static char text[400];

	if (c->name)
		snprintf(text, sizeof(text), "name %s", c->name);
	else if (c->principal)
		snprintf(text, sizeof(text), "principal %s", c->principal);
	else if (c->numbered)
		snprintf(text, sizeof(text), "uid %u, gid %u", c->uid, c->gid);
	else
		snprintf(text, sizeof(text), "a caller without a name");
	return text;
}

/* Who calls, and whether to believe it. */
static enum auth_stat identify(struct svc_req *call, struct caller *c, const char **what)
{
	const struct authunix_parms *claim = call->rq_clntcred;
	int flavor = call->rq_cred.oa_flavor;
	struct gss_raw_credential *raw;
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (flavor == AUTH_SYS) {
		*c = (struct caller){ true, claim->aup_uid, claim->aup_gid, peercred ? 0 : claim->aup_len, claim->aup_gids, NULL, NULL };
		if (peercred && (getsockopt(call->rq_xprt->xp_fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == -1 ||
				 peer.uid != c->uid || peer.gid != c->gid)) {
			*what = "AUTH_BADCRED, the kernel says another uid or gid";
			return AUTH_BADCRED;
		}
	} else if (flavor == AUTH_DES) {
		c->name = call->rq_clntcred;
	} else if (flavor == RPCSEC_GSS && rpc_gss_getcred(call, &raw, NULL, NULL)) {
		c->principal = svcauth_gss_get_principal(&SVC_XP_AUTH(call->rq_xprt)); /* to be freed */
		if (raw->service < protection) {
			*what = "AUTH_TOOWEAK, not protected enough";
			return AUTH_TOOWEAK;
		}
	}
	if (flavor < 0 || flavor > RPCSEC_GSS || !accepts[flavor]) {
		*what = "AUTH_TOOWEAK, this flavor is not accepted";
		return AUTH_TOOWEAK;
	}
	return AUTH_OK;
}

static bool passes(struct svc_req *call)
{
	struct caller c = { 0 };
	const char *what = "AUTH_TOOWEAK, the policy does not allow it";
	enum auth_stat why;

	if (call->rq_proc == NULLPROC)
		return true;
	why = identify(call, &c, &what);
	if (why == AUTH_OK && !allowed(&c, call->rq_proc))
		why = AUTH_TOOWEAK;
	if (why == AUTH_OK) {
		free((char *)(uintptr_t)c.principal);
		return true;
	}
	fprintf(stderr, "%s: %s refused to %s: %s\n", program_invocation_short_name,
		call->rq_proc < PROCEDURES ? procedures[call->rq_proc] : "a procedure", describe(&c), what);
	free((char *)(uintptr_t)c.principal);
	svcerr_auth(call->rq_xprt, why);
	return false;
}

static void guarded_1(struct svc_req *call, SVCXPRT *x)
{
	if (passes(call))
		calc_prog_1(call, x);
}

static void guarded_2(struct svc_req *call, SVCXPRT *x)
{
	if (passes(call))
		calc_prog_2(call, x);
}

#endif
