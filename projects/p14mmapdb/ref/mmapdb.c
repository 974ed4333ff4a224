/*
 * mmapdb - an embedded database in one mapped file: ordered keys, transactions, one writer
 * and any number of readers at once.
 */
#include <getopt.h>
#include "commands.h"

static void help(void)
{
	puts("usage: mmapdb [flags] COMMAND [ARGUMENT…]\n\n"
	     "Keeps keys and values, in the order of the keys, in a file that any number of processes\n"
	     "have mapped: one writes at a time, the others read on in the state that they began with.\n\n"
	     "  create DB               makes an empty database; --size=100MB\n"
	     "  insert DB KEY VALUE     VALUE - is standard input\n"
	     "  insert DB --from FILE   lines of key, tab, value, all or nothing; --batch N: N lines a transaction\n"
	     "  get DB KEY              prints the value; --raw: without a line feed behind it\n"
	     "  delete DB KEY\n"
	     "  scan DB                 --from KEY (first one), --to KEY (not any more), --prefix KEY,\n"
	     "                          --limit N, --keys-only, --reverse\n"
	     "  stat DB                 figures\n"
	     "  check DB                reads everything and compares all checksums\n"
	     "  backup DB COPY          copies one state while others write on\n"
	     "  bench                   figures of a database of its own; --records N, --dir FOLDER\n\n"
	     "What is reported is on the disk, unless there is --no-sync. Keys have 1 to 1024 bytes, values\n"
	     "up to 64 MiB, of any kind; in lines \\\\ is a backslash and \\xNN is any byte.\n\n"
	     "example:\n"
	     "  mmapdb create mydata.db --size=100MB\n"
	     "  mmapdb insert mydata.db user:1 '{\"name\":\"Alice\"}'\n"
	     "  mmapdb get mydata.db user:1");
}

static void parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "size", 1, NULL, 's' }, { "from", 1, NULL, 'f' }, { "to", 1, NULL, 't' }, { "prefix", 1, NULL, 'p' },
		{ "limit", 1, NULL, 'l' }, { "batch", 1, NULL, 'b' }, { "records", 1, NULL, 'n' },
		{ "dir", 1, NULL, 'd' }, { "raw", 0, NULL, 'r' },
		{ "keys-only", 0, NULL, 'k' }, { "reverse", 0, NULL, 'R' }, { "no-sync", 0, NULL, 'N' },
		{ "help", 0, NULL, 'h' }, { 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (!strchr(opt.given, c))
			opt.given[strlen(opt.given)] = (char)c;
		switch (c) {
		case 's': opt.size = optarg; break;
		case 'f': opt.from = optarg; break;
		case 't': opt.to = optarg; break;
		case 'p': opt.prefix = optarg; break;
		case 'l': opt.limit = optarg; break;
		case 'b': opt.batch = optarg; break;
		case 'd': opt.dir = optarg; break;
		case 'n': opt.records = optarg; break;
		case 'r': opt.raw = true; break;
		case 'k': opt.keys_only = true; break;
		case 'R': opt.reverse = true; break;
		case 'N': db.no_sync = true; break;
		case 'h': help(); exit(0);
		default: fputs("Try 'mmapdb --help'.\n", stderr); exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int least, most;
		const char *flags;
	} commands[] = {
		{ "create", 1, 1, "sN" }, { "insert", 1, 3, "fbN" }, { "get", 2, 2, "rN" }, { "delete", 2, 2, "N" },
		{ "scan", 1, 1, "ftplkRN" }, { "stat", 1, 1, "N" }, { "check", 1, 1, "N" }, { "backup", 2, 2, "N" },
		{ "bench", 0, 0, "ndN" }, { 0 },
	};
	uint64_t batch;
	char **args;
	int n, i;

	parse(argc, argv);
	if (optind == argc)
		bad_usage("a command is missing");
	args = argv + optind + 1;
	n = argc - optind - 1;
	for (i = 0; commands[i].name && strcmp(commands[i].name, argv[optind]); i++)
		;
	if (!commands[i].name)
		bad_usage("%s: no such command", argv[optind]);
	if (n < commands[i].least || n > commands[i].most || (i == 1 && n != (opt.from ? 1 : 3)))
		bad_usage("%s: wrong number of arguments", argv[optind]);
	if (opt.given[strspn(opt.given, commands[i].flags)] || (opt.batch && !opt.from))
		bad_usage("%s: a flag that is not for it", argv[optind]);
	switch (i) {
	case 0: create_command(args[0]); break;
	case 1:
		batch = opt.batch ? number("batch", opt.batch, 1, INT64_MAX, false) : UINT64_MAX;
		if (!opt.from) {
			insert_command(args[0], args[1], args[2]);
			break;
		}
		if (!*opt.from)
			bad_usage("--from: which file?");
		open_database(args[0]);
		insert_from(opt.from, batch);
		break;
	case 2: get_command(args[0], args[1]); break;
	case 3: delete_command(args[0], args[1]); break;
	case 4: scan_command(args[0]); break;
	case 5: stat_command(args[0]); break;
	case 6: check_command(args[0]); break;
	case 7: backup_command(args[0], args[1]); break;
	case 8:
		if (!opt.dir)
			opt.dir = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
		bench(opt.dir, number("records", opt.records, 1, UINT32_MAX, false));
		break;
	}
	if (fflush(stdout) == EOF || ferror(stdout))
		die("write standard output: %s", strerror(errno));
	return 0;
}
