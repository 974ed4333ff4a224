/* calc_server: exercise 16's calculator, for callers that it knows. */
#include "guard.h"
#include "old_server.h"

static _Noreturn void help(void)
{
	puts("usage: calc_server [flags]\n"
	     "\n"
	     "Serves program 0x31230000 of calc.x to callers that show a credential of a flavor in\n"
	     "--auth and that a rule allows, until SIGINT or SIGTERM. Refusals are told on stderr.\n"
	     "\n"
	     "flags:\n"
	     "  -h, --help                 show this help\n"
	     "      --auth flavors         accept these: none, sys, des, gss, with commas between (default sys)\n"
	     "      --allow rule           'add, subtract: uid 0, gid 100', 'all: name NETNAME', 'all: principal NAME', 'all: anybody'\n"
	     "      --policy file          rules from this file, one a line\n"
	     "      --peercred             compare AUTH_SYS with what the kernel knows, over a Unix socket\n"
	     "      --keys file            for des: netnames and their keys, see rpc_keygen\n"
	     "      --netname name         for des: the server's name\n"
	     "      --password-file file   for des: its password is in it; else it is asked for\n"
	     "      --keyserv socket       for des: the key server there has its secret key, see rpc_keyserv\n"
	     "      --window seconds       for des: refuse calls that are older (default 60)\n"
	     "      --principal name       for gss: the server's name, service@host\n"
	     "      --protect what         for gss: refuse less than this: none, integrity or privacy (default none)\n"
	     "      --transport name       tcp, udp or unix, or several with commas between (default tcp)\n"
	     "      --port number          serve at this port and do not register with rpcbind\n"
	     "      --path file            serve at this Unix socket, for --transport unix\n"
	     "      --bind address         serve at this IPv4 address only (default 127.0.0.1)\n"
	     "\n"
	     "example:\n"
	     "  calc_server --auth sys --allow 'add: uid 0, gid 100' --allow 'all: uid 1000' --port 5001\n"
	     "  calc_server --auth sys,des --keys keys --netname calc@here --password-file pass --port 5001");
	exit(0);
}

static void read_flavors(char *list)
{
	static const char *const flavors[] = { "none", "sys", "", "des", "", "", "gss" };

	memset(accepts, 0, sizeof(accepts));
	for (char *name = strtok(list, ","); name; name = strtok(NULL, ",")) {
		int f = RPCSEC_GSS;

		while (f >= 0 && strcmp(name, flavors[f]) != 0)
			f--;
		if (f < 0)
			bad_usage("--auth: \"%s\" is not none, sys, des or gss", name);
		accepts[f] = true;
	}
}

int main(int argc, char **argv)
{
	enum { AUTHENTICATION, ALLOW, POLICY, PEERCRED, KEYS, NETNAME, PASSWORD, KEYSERV, WINDOW, PRINCIPAL_FLAG, PROTECT, TRANSPORT, PORT, PATH, BIND };
	static const struct option options[] = { { "help", 0, NULL, 'h' }, { "auth", 1, NULL, AUTHENTICATION }, { "allow", 1, NULL, ALLOW },
		{ "policy", 1, NULL, POLICY }, { "peercred", 0, NULL, PEERCRED }, { "keys", 1, NULL, KEYS }, { "netname", 1, NULL, NETNAME },
		{ "password-file", 1, NULL, PASSWORD }, { "keyserv", 1, NULL, KEYSERV }, { "window", 1, NULL, WINDOW }, { "principal", 1, NULL, PRINCIPAL_FLAG }, { "protect", 1, NULL, PROTECT }, { "transport", 1, NULL, TRANSPORT },
		{ "port", 1, NULL, PORT }, { "path", 1, NULL, PATH }, { "bind", 1, NULL, BIND }, { 0 } };
	const char *principal = NULL, *keys = NULL, *netname = NULL, *password_file = NULL, *key_server_at = NULL, *policy = NULL;
	char sys[] = "sys", tcp[] = "tcp", *list = tcp, wrong[1500];
	unsigned window = 60;
	int option;

	inet_aton("127.0.0.1", &address);
	read_flavors(sys);
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'h': help();
		case AUTHENTICATION: read_flavors(optarg); break;
		case ALLOW:
			if (!add_rule(optarg, wrong, sizeof(wrong)))
				bad_usage("--allow: %s", wrong);
			break;
		case POLICY: policy = optarg; break;
		case PEERCRED: peercred = true; break;
		case KEYS: keys = optarg; break;
		case NETNAME: netname = optarg; break;
		case PASSWORD: password_file = optarg; break;
		case KEYSERV: key_server_at = optarg; break;
		case WINDOW: window = (unsigned)number(optarg, "--window", 1, INT_MAX); break;
		case PRINCIPAL_FLAG: principal = optarg; break;
		case PROTECT: protection = protection_named(optarg); break;
		case TRANSPORT: list = optarg; break;
		case PORT: service.port = (long)number(optarg, "--port", 1, 65535); break;
		case PATH: service.path = optarg; break;
		case BIND:
			if (!inet_aton(optarg, &address))
				bad_usage("--bind: %s is no IPv4 address", optarg);
			break;
		default: bad_usage("wrong flags");
		}
	}
	if (optind < argc)
		bad_usage("takes no arguments");
	choose_transports(list);
	if (peercred && (service.wanted[TCP] || service.wanted[UDP]))
		bad_usage("--peercred is for --transport unix alone");
	if (accepts[AUTH_DES] && (!keys || !netname))
		bad_usage("--auth des needs --keys and --netname");
	if (key_server_at && password_file)
		bad_usage("--keyserv needs no --password-file");
	if (accepts[RPCSEC_GSS] && !principal)
		bad_usage("--auth gss needs --principal");

	if (policy)
		add_rules_of(policy);
	if (accepts[AUTH_DES])
		accept_des(keys, netname, password_file, key_server_at, window);
	for (unsigned v = CALC_VERS; accepts[RPCSEC_GSS] && v <= CALC_VERS2; v++)
		if (!rpc_gss_set_svc_name((char *)(uintptr_t)principal, (char *)(uintptr_t)KERBEROS, 0, prog, v))
			die("no key for %s in the keytab", principal);
	run(guarded_1, guarded_2);
	return 0;
}
