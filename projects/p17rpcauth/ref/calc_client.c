/* calc_client: asks exercise 17's calc_server, and shows it who asks. */
#include "credential.h"

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

CLIENT *client; /* not static: whoever looks for leaks at an exit sees it */

/* One call, in version 2. */
static int call(CLIENT *c)
{
	calc_result *r = ask(c);
	struct rpc_err e;

	if (r)
		return value_of(r);
	if (flavor_is("des"))
		e = old_error_of(c);
	else
		clnt_geterr(c, &e);
	if (e.re_status == RPC_AUTHERROR)
		refused(e.re_why);
	explain(&e);
}

static void read_groups(char *list)
{
	credential.group_count = 0;
	for (char *text = strtok(list, ","); text; text = strtok(NULL, ",")) {
		if (credential.group_count == 16)
			bad_usage("--groups: more than 16");
		credential.groups[credential.group_count++] = (gid_t)number(text, "--groups", 0, UINT_MAX);
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
	     "      --keyserv socket         for des: the key server there has our secret key, see rpc_keyserv\n"
	     "      --server name            the server's name: a netname for des, service@host for gss\n"
	     "      --window seconds         for des: how long a call is good (default 60)\n"
	     "      --clock-offset seconds   for des: how wrong our clock is\n"
	     "      --protect what           for gss, besides: none, integrity or privacy (default none)\n"
	     "      --transport name         tcp, udp or unix (default tcp)\n"
	     "      --port number            ask at this port, without rpcbind\n"
	     "      --path file              ask at this Unix socket, for --transport unix\n"
	     "      --timeout seconds        how long to wait for an answer (default 5)\n"
	     "      --count number           ask this number of times more, and tell how fast\n"
	     "\n"
	     "example:\n"
	     "  calc_client --auth sys --port 5001 localhost add 5 3\n"
	     "  calc_client --auth des --keys keys --netname ann@here --server calc@here --port 5001 localhost add 5 3");
	exit(0);
}

int main(int argc, char **argv)
{
	enum { AUTHENTICATION, UID, GID, GROUPS, MACHINE, KEYS, NETNAME, PASSWORD, KEYSERV, SERVER, WINDOW, OFFSET, PROTECT, TRANSPORT, PORT, PATH, WAIT, COUNT };
	static const struct option options[] = { { "help", 0, NULL, 'h' }, { "auth", 1, NULL, AUTHENTICATION }, { "uid", 1, NULL, UID },
		{ "gid", 1, NULL, GID }, { "groups", 1, NULL, GROUPS }, { "machine", 1, NULL, MACHINE }, { "keys", 1, NULL, KEYS },
		{ "netname", 1, NULL, NETNAME }, { "password-file", 1, NULL, PASSWORD }, { "keyserv", 1, NULL, KEYSERV }, { "server", 1, NULL, SERVER },
		{ "window", 1, NULL, WINDOW }, { "clock-offset", 1, NULL, OFFSET }, { "protect", 1, NULL, PROTECT }, { "transport", 1, NULL, TRANSPORT },
		{ "port", 1, NULL, PORT }, { "path", 1, NULL, PATH }, { "timeout", 1, NULL, WAIT }, { "count", 1, NULL, COUNT }, { 0 } };
	long count = 0;
	int option, value;

	/* The flags end at the first argument: numbers may begin with a dash. */
	while ((option = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
		switch (option) {
		case 'h': help();
		case AUTHENTICATION: credential.flavor = optarg; break;
		case UID: credential.uid = number(optarg, "--uid", 0, UINT_MAX); break;
		case GID: credential.gid = number(optarg, "--gid", 0, UINT_MAX); break;
		case GROUPS: read_groups(optarg); break;
		case MACHINE: credential.machine = optarg; break;
		case KEYS: credential.keys = optarg; break;
		case NETNAME: credential.netname = optarg; break;
		case PASSWORD: credential.password_file = optarg; break;
		case KEYSERV: credential.key_server = optarg; break;
		case SERVER: credential.server = optarg; break;
		case WINDOW: credential.window = (unsigned)number(optarg, "--window", 1, INT_MAX); break;
		case OFFSET: credential.clock_offset = (long)number(optarg, "--clock-offset", INT_MIN, INT_MAX); break;
		case PROTECT: credential.protection = protection_named(optarg); break;
		case TRANSPORT: target.transport = transport_named(optarg); break;
		case PORT: target.port = (long)number(optarg, "--port", 1, 65535); break;
		case PATH: target.path = optarg; break;
		case WAIT: target.timeout = seconds(optarg, "--timeout"); break;
		case COUNT: count = (long)number(optarg, "--count", 1, LONG_MAX); break;
		default: bad_usage("wrong flags");
		}
	}
	check_credential();
	read_arguments(argv + optind, argc - optind);
	signal(SIGPIPE, SIG_IGN);
	client = dial();
	value = call(client);
	printf("Result: %d\n", value);
	if (count)
		load(count, 1, value);
	auth_destroy(client->cl_auth);
	clnt_destroy(client);
	return finish();
}
