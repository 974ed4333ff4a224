/* kv_client: asks the servers of a replicated key-value store. */
#include "commands.h"

static void member_add(void)
{
	int others = server_count;

	/* Checked, and named, as that of a server which is asked. */
	add_server(args[1], "");
	server_count = others;
	set_member(args[0], servers[others].addr);
}

static const struct command {
	const char *name, *what;
	int least, most;
	void (*run)(void);
} commands[] = {
	{ "put", "a key and a value", 2, 2, put },
	{ "get", "a key", 1, 1, get },
	{ "del", "a key", 1, 1, del },
	{ "cas", "a key, the old value and the new one", 3, 3, cas },
	{ "list", "a prefix at most", 0, 1, list },
	{ "watch", "a prefix at most", 0, 1, watch },
	{ "status", "no arguments", 0, 0, status },
	{ "member add", "an id and an address", 2, 2, member_add },
	{ "member remove", "an id", 1, 1, member_remove },
	{ 0 },
};

static const struct command *parse(char **argv, int argc)
{
	const struct command *c = commands;
	char name[64];

	if (!argc)
		bad_usage("which command?");
	snprintf(name, sizeof(name), "%s", argv[0]);
	args = argv + 1;
	argc--;
	if (strcmp(argv[0], "member") == 0 && argc) {
		snprintf(name, sizeof(name), "member %s", args[0]);
		args++;
		argc--;
	}
	while (c->name && strcmp(c->name, name) != 0)
		c++;
	if (strcmp(name, "member") == 0)
		bad_usage("member: add or remove?");
	if (!c->name)
		bad_usage("%s is no command", name);
	if (c->run == cas && absent ? argc != 2 : argc < c->least || argc > c->most)
		bad_usage("%s takes %s", name, c->run == cas && absent ? "a key and a value with --absent" : c->what);
	if (argc)
		key = (kv_key){ (u_int)strlen(args[0]), args[0] };
	if (key.kv_key_len > KV_MAX_KEY)
		bad_usage("a key has at most %d bytes", KV_MAX_KEY);
	if (c->least && !key.kv_key_len)
		bad_usage("%s: an empty key or id", name);
	for (int i = 1; i < argc; i++)
		if (strlen(args[i]) > KV_MAX_VALUE)
			bad_usage("a value has at most %d bytes", KV_MAX_VALUE);
	return c;
}

static _Noreturn void help(void)
{
	puts("usage: kv_client [flags] COMMAND\n"
	     "\n"
	     "Asks the servers of a replicated key-value store; flags come before the command.\n"
	     "\n"
	     "  put KEY VALUE           keep a value; VALUE - is read from standard input\n"
	     "  get KEY                 print a value\n"
	     "  del KEY                 take a key out\n"
	     "  cas KEY OLD NEW         put NEW if the value is OLD; with --absent: cas KEY NEW\n"
	     "  list [PREFIX]           print the keys\n"
	     "  watch [PREFIX]          print changes as they come\n"
	     "  status                  print what each --server thinks\n"
	     "  member add ID ADDRESS   let a server in that was started with --join\n"
	     "  member remove ID        take a server out\n"
	     "\n"
	     "The exit status is 0 if it was done, 1 if it was not, and 3 if nobody knows: the write\n"
	     "was sent, and no answer came.\n"
	     "\n"
	     "flags:\n"
	     "  -h, --help              show this help\n"
	     "      --server address    of a server, or several with commas between; may be repeated\n"
	     "                          (default localhost:9001)\n"
	     "      --timeout seconds   how long to go on trying (default 10)\n"
	     "      --local             get, list: what the server itself has, however old that is\n"
	     "      --max-age seconds   get --local: from shared memory if what is there is at most so old\n"
	     "                          (default 5)\n"
	     "      --age               get --local: tell on standard error how old the value may be\n"
	     "      --raw               get: no newline after the value\n"
	     "      --after revision    watch: changes after this one; without the flag, from now on\n"
	     "      --count number      watch: end after so many changes\n"
	     "      --absent            cas: the key must not be there\n"
	     "\n"
	     "example:\n"
	     "  kv_client --server=localhost:9001 put mykey \"Hello World\"\n"
	     "  kv_client --server=localhost:9001,localhost:9002,localhost:9003 get mykey");
	exit(0);
}

int main(int argc, char **argv)
{
	enum { SERVER, TIMEOUT_FLAG, LOCAL, MAX_AGE, AGE, RAW, AFTER, COUNT, ABSENT };
	static const struct option options[] = { { "help", 0, NULL, 'h' }, { "server", 1, NULL, SERVER },
		{ "timeout", 1, NULL, TIMEOUT_FLAG }, { "local", 0, NULL, LOCAL }, { "max-age", 1, NULL, MAX_AGE },
		{ "age", 0, NULL, AGE }, { "raw", 0, NULL, RAW }, { "after", 1, NULL, AFTER }, { "count", 1, NULL, COUNT }, { "absent", 0, NULL, ABSENT }, { 0 } };
	char standard[] = "localhost:9001", *end;
	const struct command *c;
	int option;

	/* The flags end at the first argument: values may begin with a dash. */
	while ((option = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
		switch (option) {
		case 'h': help();
		case SERVER:
			for (char *addr; (addr = strsep(&optarg, ","));)
				add_server(addr, "--server: ");
			break;
		case TIMEOUT_FLAG: timeout = seconds(optarg, "--timeout"); break;
		case LOCAL: local = true; break;
		case MAX_AGE:
			max_age = strtod(optarg, &end);
			if (end == optarg || *end || !(max_age >= 0 && max_age <= INT_MAX))
				bad_usage("--max-age must be at least 0 seconds");
			break;
		case AGE: tells_age = true; break;
		case RAW: raw = true; break;
		case AFTER:
			after = (u_quad_t)number(optarg, "--after", 0, LLONG_MAX);
			from_now = false;
			break;
		case COUNT: count = (unsigned long long)number(optarg, "--count", 1, LLONG_MAX); break;
		case ABSENT: absent = true; break;
		default: try_help();
		}
	}
	if (!server_count)
		add_server(standard, "");
	c = parse(argv + optind, argc - optind);
	signal(SIGPIPE, SIG_IGN);
	c->run();
	return finish();
}
