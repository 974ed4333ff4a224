/* What calc_client shows of who calls: none, sys and gss are libtirpc's, des is glibc's. */
#ifndef CREDENTIAL_H
#define CREDENTIAL_H

#include "../../p16rpccalc/ref/load.h"

#include "kerberos.h"
#include "old_client.h"

static struct {
	const char *flavor, *machine, *keys, *netname, *password_file, *server, *key_server;
	long long uid, gid; /* -1: the process's */
	gid_t groups[NGROUPS_MAX];
	int group_count; /* -1: the process's */
	unsigned window;
	long clock_offset;
	int protection;
} credential = { .flavor = "sys", .uid = -1, .gid = -1, .group_count = -1, .window = 60, .protection = 1 };

static bool flavor_is(const char *name)
{
	return strcmp(credential.flavor, name) == 0;
}

/* Flags that do not go together are wrong usage. */
static void check_credential(void)
{
	if (!flavor_is("none") && !flavor_is("sys") && !flavor_is("des") && !flavor_is("gss"))
		bad_usage("--auth: %s is not none, sys, des or gss", credential.flavor);
	if (flavor_is("des") && (!credential.keys || !credential.netname || !credential.server))
		bad_usage("--auth des needs --keys, --netname and --server");
	if (credential.key_server && credential.password_file)
		bad_usage("--keyserv needs no --password-file");
	if (flavor_is("gss") && !credential.server)
		bad_usage("--auth gss needs --server");
	if (flavor_is("gss") && target.transport == UDP)
		bad_usage("--auth gss is not for --transport udp");
}

static AUTH *claim(void)
{
	char name[256] = "";
	int count = credential.group_count;

	gethostname(name, sizeof(name) - 1);
	if (count == -1)
		count = getgroups(NGROUPS_MAX, credential.groups);
	return authunix_create((char *)(uintptr_t)(credential.machine ? credential.machine : name),
		credential.uid < 0 ? geteuid() : (uid_t)credential.uid,
		credential.gid < 0 ? getegid() : (gid_t)credential.gid, count < 16 ? count : 16, credential.groups);
}

/* What GSS-API says of a code; libtirpc has loaded it. */
static const char *gss_text(int code, int kind)
{
	struct { size_t length; char *text; } said = { 0, NULL };
	uint32_t (*display)(uint32_t *, uint32_t, int, void *, uint32_t *, void *) = dlsym(RTLD_DEFAULT, "gss_display_status");
	uint32_t minor, more = 0;

	if (!display || display(&minor, (uint32_t)code, kind, NULL, &more, &said) || !said.text)
		return "";
	return said.text;
}

/* Kerberos' credential, made by calls to the server. */
static AUTH *context(CLIENT *c)
{
	struct gss_outcome outcome = { 0 };
	AUTH *auth = rpc_gss_seccreate(c, (char *)(uintptr_t)credential.server, (char *)(uintptr_t)KERBEROS,
		credential.protection, NULL, NULL, &outcome);

	if (!auth)
		die("%s: AUTH_FAILED: %s: %s", where(), gss_text(outcome.major, 1), gss_text(outcome.minor, 2));
	return auth;
}

/* AUTH_DES with the secret key from the file of keys, or where a key server has it. */
static AUTH *conversation(void)
{
	static struct keys theirs;

	if (!*theirs.name) { /* the password is asked for once */
		struct key secret = { { 0 } };

		key_socket = credential.key_server;
		if (!key_socket)
			secret = open_secret(credential.keys, credential.netname, credential.password_file);
		theirs = keys_of(credential.keys, credential.server);
		common = common_key(secret, key_of(theirs.public));
		peer = &theirs;
	}
	return old_authdes(credential.netname, credential.server, theirs.public, credential.window, credential.clock_offset);
}

/* A connection to the server, with the credential. */
static CLIENT *dial(void)
{
	double deadline = now() + target.timeout;
	struct place p = locate(deadline);
	AUTH *auth = flavor_is("none") ? authnone_create() : flavor_is("sys") ? claim() : flavor_is("des") ? conversation() : NULL;
	CLIENT *c;

	if (!auth && !flavor_is("gss"))
		die("no credential of flavor %s", credential.flavor);
	if (flavor_is("des"))
		c = old_reach(target.transport, p, target.prog, target.vers, deadline);
	else
		c = reach(target.transport, p, target.prog, target.vers, deadline);
	if (!c)
		no_connection(p);
	c->cl_auth = auth ? auth : context(c);
	return c;
}

#endif
