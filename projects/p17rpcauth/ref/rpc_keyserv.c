/* rpc_keyserv: keeps the secret keys of AUTH_DES, and gives them to itself. */
#include "../../p16rpccalc/ref/sockets.h"

#include "keyserv_procedures.h"

static const char *path = "/run/keyservsock", *password_file;
static bool registers;

/* Where libtirpc looks. */
static void enter(struct place p)
{
	struct netconfig *local = getnetconfigent("local");
	struct netbuf where = { sizeof(p), p.size, &p };

	if (!local)
		die("/etc/netconfig: no local");
	for (unsigned v = KEYSERV_VERS; v <= KEYSERV_VERS2; v++) {
		rpcb_unset(KEYSERV_PROG, v, local);
		if (!rpcb_set(KEYSERV_PROG, v, local, &where))
			die("rpcbind does not register program %d", KEYSERV_PROG);
		printf("Registered with portmapper: program %d, version %u\n", KEYSERV_PROG, v);
	}
	freenetconfigent(local);
}

static void leave(void)
{
	struct netconfig *local = getnetconfigent("local");

	for (unsigned v = KEYSERV_VERS; v <= KEYSERV_VERS2; v++)
		rpcb_unset(KEYSERV_PROG, v, local);
	freenetconfigent(local);
}

static void run(void)
{
	struct place p = at_path(path);
	sigset_t unblocked;
	SVCXPRT *x;

	protect();
	open_store();
	prepare_signals(&unblocked);
	setvbuf(stdout, NULL, _IOLBF, 0);
	limits.idle = 3600;
	/* It also makes connections non-blocking: who sends half a record keeps nobody waiting. */
	rpc_control(RPC_SVC_CONNMAXREC_SET, &(int){ 4096 });
	x = listen_at(UNIX, p, geteuid() == 0 ? 0666 : 0600);
	if (!svc_reg(x, KEYSERV_PROG, KEYSERV_VERS, dispatch, NULL) || !svc_reg(x, KEYSERV_PROG, KEYSERV_VERS2, dispatch, NULL))
		die("cannot make a service");
	if (registers)
		enter(p);
	printf("Serving program %d at %s\n", KEYSERV_PROG, path);
	serve(&unblocked);
	explicit_bzero(secrets, USERS * sizeof(*secrets));
	if (registers)
		leave();
	unlink(path);
}

static void change_login(const char *name)
{
	const char *wrong;
	struct keys pair;
	struct key secret;

	if (name) {
		secret = open_secret(key_map, name, password_file);
		pair = keys_of(key_map, name);
		wrong = log_in(path, &secret, &pair);
		explicit_bzero(&secret, sizeof(secret));
	} else {
		wrong = log_in(path, NULL, NULL);
	}
	if (wrong)
		die("%s: %s", path, wrong);
	if (name)
		printf("%s: the key server at %s has the secret key\n", name, path);
	else
		printf("the key server at %s has forgotten the secret key\n", path);
}

static _Noreturn void help(void)
{
	puts("usage: rpc_keyserv [flags]\n"
	     "       rpc_keyserv [flags] login NETNAME\n"
	     "       rpc_keyserv [flags] logout\n"
	     "\n"
	     "Without arguments a key server, program 100029, until SIGINT or SIGTERM. It keeps the\n"
	     "secret keys of users, who are known by the kernel, and uses them in their place.\n"
	     "login gives it the caller's key, opened with a password; logout has it forget it.\n"
	     "\n"
	     "flags:\n"
	     "  -h, --help                 show this help\n"
	     "      --socket file          glibc looks for it at the default (default /run/keyservsock)\n"
	     "      --register             tell rpcbind, which libtirpc asks\n"
	     "      --keys file            netnames and their keys, see rpc_keygen\n"
	     "      --password-file file   for login: the password is in this file; else it is asked for\n"
	     "      --domain name          unix.UID@name is the netname of a user of this host\n"
	     "\n"
	     "example:\n"
	     "  rpc_keyserv --socket ks &\n"
	     "  rpc_keyserv --socket ks --keys keys --password-file pass login unix.1000@example.org");
	exit(0);
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "help", no_argument, NULL, 'h' }, { "socket", required_argument, NULL, 's' },
		{ "register", no_argument, NULL, 'r' }, { "keys", required_argument, NULL, 'k' },
		{ "password-file", required_argument, NULL, 'p' }, { "domain", required_argument, NULL, 'd' }, { 0 } };
	static char system_domain[256];
	bool login, logout;
	int option;

	if (getdomainname(system_domain, sizeof(system_domain) - 1) == 0 && strcmp(system_domain, "(none)") != 0)
		domain = system_domain;
	else
		domain = "";
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'h': help();
		case 's': path = optarg; break;
		case 'r': registers = true; break;
		case 'k': key_map = optarg; break;
		case 'p': password_file = optarg; break;
		case 'd': domain = optarg; break;
		default: bad_usage("wrong flags");
		}
	}
	argc -= optind;
	argv += optind;
	login = argc && strcmp(argv[0], "login") == 0;
	logout = argc && strcmp(argv[0], "logout") == 0;
	if (login && argc != 2)
		bad_usage("login wants one netname");
	if (login && !key_map)
		bad_usage("login needs --keys");
	if (!login && password_file)
		bad_usage("--password-file is for login");
	if (logout && argc != 1)
		bad_usage("logout takes no arguments");
	if (argc && !login && !logout)
		bad_usage("%s is not login or logout", argv[0]);
	if (!*path)
		bad_usage("--socket: which file?");
	signal(SIGPIPE, SIG_IGN);
	if (argc)
		change_login(login ? argv[1] : NULL);
	else
		run();
	return finish();
}
