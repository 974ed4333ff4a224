/*
 * calc_client: asks exercise 17's calc_server, and shows it who asks. none, sys and gss are
 * libtirpc's; des is what glibc still has, which libtirpc has not.
 */
#include "../../p16rpccalc/ref/question.h"

#include "kerberos.h"
#include "old_client.h"

static enum transport transport = TCP;
static long port = -1;
static const char *path, *host, *flavor = "sys";
static const char *keys, *netname, *password_file, *server, *machine;
static long long uid = -1, gid = -1;
static gid_t groups[NGROUPS_MAX];
static int group_count = -1;
static unsigned window = 60;
static int protection = 1;
static long clock_offset;
static double timeout = 5;
static CLIENT *client;

static const char *where(void)
{
	static char text[512];

	if (path)
		snprintf(text, sizeof(text), "%s", path);
	else if (port > 0)
		snprintf(text, sizeof(text), "%s, %s port %ld", host, names[transport], port);
	else
		snprintf(text, sizeof(text), "%s", host);
	return text;
}

static struct place find(double deadline)
{
	struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM }, *found;
	struct in_addr address;
	int error, at = (int)port;

	if (path)
		return at_path(path);
	error = getaddrinfo(host, NULL, &hints, &found);
	if (error)
		die("%s: %s", host, gai_strerror(error));
	address = ((struct sockaddr_in *)(void *)found->ai_addr)->sin_addr;
	freeaddrinfo(found);
	if (port < 0)
		at = registered(address, CALC_PROG, CALC_VERS2, transport, deadline);
	if (at == -1)
		die("%s: no rpcbind answers there: %s; --port needs none", host, strerror(errno));
	if (at == 0)
		die("%s: program 0x%x is not registered there for %s", host, CALC_PROG, names[transport]);
	return at_port(address, (unsigned)at);
}

static AUTH *claim(void)
{
	char name[256] = "";

	gethostname(name, sizeof(name) - 1);
	if (group_count == -1)
		group_count = getgroups(NGROUPS_MAX, groups);
	return authunix_create((char *)(uintptr_t)(machine ? machine : name), uid < 0 ? geteuid() : (uid_t)uid,
		gid < 0 ? getegid() : (gid_t)gid, group_count < 16 ? group_count : 16, groups);
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
static AUTH *context(void)
{
	struct gss_outcome outcome = { 0 };
	AUTH *auth = rpc_gss_seccreate(client, (char *)(uintptr_t)server, (char *)(uintptr_t)KERBEROS, protection, NULL, NULL, &outcome);

	if (!auth)
		die("%s: AUTH_FAILED: %s: %s", where(), gss_text(outcome.major, 1), gss_text(outcome.minor, 2));
	return auth;
}

static void dial(void)
{
	double deadline = now() + timeout;
	struct place p = find(deadline);
	AUTH *auth = strcmp(flavor, "none") == 0 ? authnone_create() : NULL;

	if (strcmp(flavor, "sys") == 0) {
		auth = claim();
	} else if (strcmp(flavor, "des") == 0) {
		struct key secret = open_secret(keys, netname, password_file);
		struct keys theirs = keys_of(keys, server);

		common = common_key(secret, key_of(theirs.public));
		auth = old_authdes(netname, server, theirs.public, window, clock_offset);
	}
	if (!auth && strcmp(flavor, "gss") != 0)
		die("no credential of flavor %s", flavor);
	if (strcmp(flavor, "des") == 0) {
		int fd = socket(p.any.sa_family, (transport == UDP ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
		struct timeval left;

		client = fd == -1 || connect_by(fd, &p, deadline) == -1 ? NULL : old_client(transport, fd, &p, CALC_PROG, CALC_VERS2);
		if (client) {
			left = until(deadline);
			clnt_control(client, CLSET_TIMEOUT, (char *)&left);
		}
	} else {
		client = reach(transport, p, CALC_PROG, CALC_VERS2, deadline);
	}
	if (!client)
		die("%s: no server there: %s", where(), strerror(errno));
	client->cl_auth = auth ? auth : context();
}

static _Noreturn void refused(enum auth_stat why)
{
	static const char *const name[] = { [AUTH_BADCRED] = "AUTH_BADCRED: the server takes the credential for false or broken",
		[AUTH_REJECTEDCRED] = "AUTH_REJECTEDCRED: the server wants the credential anew",
		[AUTH_BADVERF] = "AUTH_BADVERF: the server takes the verifier for broken",
		[AUTH_REJECTEDVERF] = "AUTH_REJECTEDVERF: the server takes the call for old, early or repeated; are the clocks right?",
		[AUTH_TOOWEAK] = "AUTH_TOOWEAK: this flavor, or this caller, may not call that",
		[AUTH_INVALIDRESP] = "AUTH_INVALIDRESP: the answer is not from the server whose key we have",
		[AUTH_FAILED] = "AUTH_FAILED: authentication failed" };

	if (why > AUTH_OK && why <= AUTH_FAILED)
		die("%s: %s", where(), name[why]);
	die("%s: auth_stat %d: the server refuses the call", where(), (int)why);
}

static int value_of(const calc_result *r)
{
	switch (r->status) {
	case CALC_OK: return r->calc_result_u.value;
	case CALC_OVERFLOW: die("%s: overflow: the result is no 32-bit integer", asked);
	case CALC_DIVISION_BY_ZERO: die("%s: division by zero", asked);
	case CALC_MALFORMED: die("%s: not an expression in postfix notation", asked);
	default: die("%s: the server says %d instead of a result", asked, (int)r->status);
	}
}

static int ask(void)
{
	calc_result *r = operation->in_version_2 ? operation->in_version_2(&two, client) : evaluate_2(&tokens, client);
	struct rpc_err e;

	if (r)
		return value_of(r);
	if (strcmp(flavor, "des") == 0)
		e = old_error_of(client);
	else
		clnt_geterr(client, &e);
	switch (e.re_status) {
	case RPC_AUTHERROR: refused(e.re_why);
	case RPC_TIMEDOUT: die("%s: no answer within %g s", where(), timeout);
	case RPC_CANTSEND:
	case RPC_CANTRECV: die("%s: the server ended the connection: %s", where(), e.re_errno ? strerror(e.re_errno) : "EOF");
	default: die("%s: %s", where(), clnt_sperrno(e.re_status));
	}
}

static void read_groups(char *list)
{
	group_count = 0;
	for (char *text = strtok(list, ","); text; text = strtok(NULL, ",")) {
		if (group_count == 16)
			bad_usage("--groups: more than 16");
		groups[group_count++] = (gid_t)number(text, "--groups", 0, UINT_MAX);
	}
}

static _Noreturn void help(void)
{
	puts("usage: calc_client [flags] HOST OPERATION A B\n"
	     "       calc_client [flags] HOST evaluate EXPRESSION\n"
	     "\n"
	     "Asks calc_server, with a credential. The operations are add, subtract, multiply,\n"
	     "divide, remainder, and evaluate for postfix expressions.\n"
	     "\n"
	     "flags:\n"
	     "  -h, --help                   show this help\n"
	     "      --auth flavor            of the credential: none, sys, des or gss (default sys)\n"
	     "      --uid number             for sys: claim to be this user\n"
	     "      --gid number             for sys: claim to be of this group\n"
	     "      --groups groups          for sys: and of these, numbers with commas between\n"
	     "      --machine name           for sys: claim to be at this host\n"
	     "      --keys file              for des: netnames and their keys, see rpc_keygen\n"
	     "      --netname name           for des: our name\n"
	     "      --password-file file     for des: our password is in it; else it is asked for\n"
	     "      --server name            the server's name: a netname for des, service@host for gss\n"
	     "      --window seconds         for des: how long a call is good (default 60)\n"
	     "      --clock-offset seconds   for des: how wrong our clock is\n"
	     "      --protect what           for gss, besides: none, integrity or privacy (default none)\n"
	     "      --transport name         tcp, udp or unix (default tcp)\n"
	     "      --port number            ask at this port, without rpcbind\n"
	     "      --path file              ask at this Unix socket, for --transport unix\n"
	     "      --timeout seconds        how long to wait for an answer (default 5)\n"
	     "\n"
	     "example:\n"
	     "  calc_client --auth sys --port 5001 localhost add 5 3\n"
	     "  calc_client --auth des --keys keys --netname ann@here --server calc@here --port 5001 localhost add 5 3");
	exit(0);
}

int main(int argc, char **argv)
{
	enum { AUTHENTICATION, UID, GID, GROUPS, MACHINE, KEYS, NETNAME, PASSWORD, SERVER, WINDOW, OFFSET, PROTECT, TRANSPORT, PORT, PATH, WAIT };
	static const struct option options[] = { { "help", 0, NULL, 'h' }, { "auth", 1, NULL, AUTHENTICATION }, { "uid", 1, NULL, UID },
		{ "gid", 1, NULL, GID }, { "groups", 1, NULL, GROUPS }, { "machine", 1, NULL, MACHINE }, { "keys", 1, NULL, KEYS },
		{ "netname", 1, NULL, NETNAME }, { "password-file", 1, NULL, PASSWORD }, { "server", 1, NULL, SERVER },
		{ "window", 1, NULL, WINDOW }, { "clock-offset", 1, NULL, OFFSET }, { "protect", 1, NULL, PROTECT }, { "transport", 1, NULL, TRANSPORT },
		{ "port", 1, NULL, PORT }, { "path", 1, NULL, PATH }, { "timeout", 1, NULL, WAIT }, { 0 } };
	int option;

	/* The flags end at the first argument: numbers may begin with a dash. */
	while ((option = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
		switch (option) {
		case 'h': help();
		case AUTHENTICATION: flavor = optarg; break;
		case UID: uid = number(optarg, "--uid", 0, UINT_MAX); break;
		case GID: gid = number(optarg, "--gid", 0, UINT_MAX); break;
		case GROUPS: read_groups(optarg); break;
		case MACHINE: machine = optarg; break;
		case KEYS: keys = optarg; break;
		case NETNAME: netname = optarg; break;
		case PASSWORD: password_file = optarg; break;
		case SERVER: server = optarg; break;
		case WINDOW: window = (unsigned)number(optarg, "--window", 1, INT_MAX); break;
		case OFFSET: clock_offset = (long)number(optarg, "--clock-offset", INT_MIN, INT_MAX); break;
		case PROTECT: protection = protection_named(optarg); break;
		case TRANSPORT: transport = transport_named(optarg); break;
		case PORT: port = (long)number(optarg, "--port", 1, 65535); break;
		case PATH: path = optarg; break;
		case WAIT: timeout = seconds(optarg, "--timeout"); break;
		default: bad_usage("wrong flags");
		}
	}
	if (strcmp(flavor, "none") != 0 && strcmp(flavor, "sys") != 0 && strcmp(flavor, "des") != 0 && strcmp(flavor, "gss") != 0)
		bad_usage("--auth: %s is not none, sys, des or gss", flavor);
	if (strcmp(flavor, "des") == 0 && (!keys || !netname || !server))
		bad_usage("--auth des needs --keys, --netname and --server");
	if (strcmp(flavor, "gss") == 0 && !server)
		bad_usage("--auth gss needs --server");
	if (strcmp(flavor, "gss") == 0 && transport == UDP)
		bad_usage("--auth gss is not for --transport udp");
	if ((transport == UNIX) != !!path)
		bad_usage("--path and --transport unix go together");
	if (optind == argc)
		bad_usage("which host?");
	host = argv[optind];
	read_question(argv + optind + 1, argc - optind - 1);
	signal(SIGPIPE, SIG_IGN);
	dial();
	printf("Result: %d\n", ask());
	return finish();
}
