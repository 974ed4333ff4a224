/*
 * kvstore - a store of keys and values for many processes at once: one file, and a lock
 * file with one byte a bucket.
 */
#include <getopt.h>
#include "stress.h"

static struct {
	const char *db, *key_file, *value_file, *with;
	bool db_given, no_sync, raw;
	double hold, duration;
	int processes, kills;
} opt = { .db = "kvstore.db", .hold = 2, .duration = 3, .processes = 16, .kills = 20 };

static void __attribute__((noreturn, format(printf, 1, 2))) bad_usage(const char *format, ...)
{
	va_list args;

	fputs("kvstore: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputs("\nTry 'kvstore --help'.\n", stderr);
	exit(2);
}

struct bytes {
	uint8_t *of;
	size_t n;
};

/* What a file has, "-" for standard input. */
static struct bytes read_file(const char *name)
{
	struct bytes b = { allocate(MAX_LENGTH + 1), 0 };
	FILE *f = strcmp(name, "-") ? fopen(name, "re") : stdin;

	if (!f)
		die("open %s: %s", name, strerror(errno));
	b.n = fread(b.of, 1, MAX_LENGTH + 1, f);
	if (ferror(f))
		die("read %s: %s", name, strerror(errno));
	if (f != stdin)
		fclose(f);
	if (b.n > MAX_LENGTH)
		die("%s: longer than 1 MiB", name);
	return b;
}

static void print_escaped(FILE *to, const uint8_t *key, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (key[i] == '\\')
			fputs("\\\\", to);
		else if (key[i] < ' ' || key[i] > '~')
			fprintf(to, "\\x%02x", key[i]);
		else
			fputc(key[i], to);
}

static int fail_key(struct bytes key, const char *why)
{
	fputs("kvstore: ", stderr);
	print_escaped(stderr, key.of, key.n < 100 ? key.n : 100);
	fprintf(stderr, ": %s\n", why);
	return 1;
}

static int set(struct bytes key, char **args)
{
	static struct bytes value;

	if ((opt.value_file != NULL) == (args[0] != NULL) || (args[0] && args[1]))
		bad_usage("set: one value, please");
	if (opt.value_file)
		value = read_file(opt.value_file);
	else if (!strcmp(args[0], "-"))
		value = read_file("-");
	else
		value = (struct bytes){ (uint8_t *)args[0], strlen(args[0]) };
	if (key.n > MAX_LENGTH || value.n > MAX_LENGTH)
		return fail_key(key, "longer than 1 MiB");
	open_store(opt.db, true);
	put(key.of, key.n, value.of, value.n);
	rewrite();
	return 0;
}

static int get_or_delete(struct bytes key, bool delete)
{
	static struct bytes value;

	if (key.n > MAX_LENGTH)
		return fail_key(key, "longer than 1 MiB");
	open_store(opt.db, false);
	if (delete) {
		if (!put(key.of, key.n, NULL, 0))
			return fail_key(key, "no such key");
		rewrite();
		return 0;
	}
	value.of = get(key.of, key.n, &value.n);
	if (!value.of)
		return fail_key(key, "no such key");
	fwrite(value.of, 1, value.n, stdout);
	if (!opt.raw)
		putchar('\n');
	return 0;
}

static int by_bytes(const void *a, const void *b)
{
	const struct bytes *x = a, *y = b;
	int c = memcmp(x->of, y->of, x->n < y->n ? x->n : y->n);

	return c ? c : x->n < y->n ? -1 : x->n > y->n;
}

static int list(void)
{
	static struct bytes *keys;
	size_t n = 0, room = 0;

	open_store(opt.db, false);
	if (st.s)
		lock_all(F_RDLCK);
	if (st.s && LOAD(&st.s->generation) != st.generation) {
		lock_all(F_UNLCK);
		refresh();
		lock_all(F_RDLCK);
	}
	for (uint64_t slot = 0; slot < UINT64_C(1) << st.h.bits; slot++)
		for (uint64_t pos = follow(HEADER_SIZE + 8 * slot); pos; pos = follow(pos + LINK_AT)) {
			struct record *r = record_at(pos);
			uint64_t place = slot_at(&st.h, r->hash);

			if (find(&place, r->hash, r->key, klen_of(r)) != pos)
				continue; /* a killed process left it in the chain */
			if (n == room) {
				room = room ? 2 * room : 1024;
				keys = realloc(keys, room * sizeof(*keys));
				if (!keys)
					die("out of memory");
			}
			keys[n++] = (struct bytes){ r->key, klen_of(r) };
		}
	if (n)
		qsort(keys, n, sizeof(*keys), by_bytes);
	for (size_t i = 0; i < n; i++) {
		print_escaped(stdout, keys[i].of, keys[i].n);
		putchar('\n');
	}
	return 0;
}

/* Two keys in different buckets. */
static void choose_keys(const char *keys[2])
{
	static char second[32];
	unsigned first = bucket_of(hash_of(&st.h, (const uint8_t *)keys[0], strlen(keys[0])));

	for (int i = 2; !keys[1]; i++) {
		snprintf(second, sizeof(second), "key%d", i);
		if (bucket_of(hash_of(&st.h, (uint8_t *)second, strlen(second))) != first)
			keys[1] = second;
	}
	if (bucket_of(hash_of(&st.h, (const uint8_t *)keys[1], strlen(keys[1]))) == first)
		die("%s and %s are in the same bucket and have one lock, choose another key", keys[0], keys[1]);
}

/* What Store.Measure of the Go package does. */
static int measure(const char *what, uint64_t keys, int64_t count)
{
	uint8_t key[16] = "........-key-key", value[100];
	uint64_t number = 12345;
	struct timespec begin, end;

	open_store(opt.db, true);
	memset(value, 'v', sizeof(value));
	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (int64_t i = 0; i < count; i++) {
		uint64_t n;
		size_t length = 0;
		uint8_t *got;

		number = number * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		n = strcmp(what, "fill") ? (number >> 33) % keys : (uint64_t)i;
		memcpy(key, &n, 8);
		memcpy(value, &n, 8);
		if (strcmp(what, "gets")) {
			n = (uint64_t)(begin.tv_sec * 1000000000 + begin.tv_nsec + i);
			memcpy(value + 8, &n, 8); /* another value each time */
			put(key, 16, value, 100);
			rewrite();
			continue;
		}
		got = get(key, 16, &length);
		if (!got || length != 100 || memcmp(got, value, 8) || memcmp(got + 16, value + 16, 84))
			die("key %llu has another value", (unsigned long long)n);
		free(got);
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("%lld ns for %lld\n", (long long)(end.tv_sec - begin.tv_sec) * 1000000000 + end.tv_nsec - begin.tv_nsec,
		(long long)count);
	return 0;
}

static void help(void)
{
	puts("usage: kvstore [flags] COMMAND [ARGUMENT…]\n\n"
	     "Keeps keys and values in a file that any number of processes use at once.\n\n"
	     "  set KEY VALUE    sets a value; VALUE - is standard input\n"
	     "  get KEY          prints a value\n"
	     "  del KEY          deletes a key\n"
	     "  list             prints all keys, one a line, with \\xNN for other than printable bytes\n"
	     "  lock-test KEY    two processes that want one lock\n"
	     "  deadlock-test [KEY KEY]   two processes that want each other's lock\n"
	     "  check            reads everything and compares all checksums\n"
	     "  stress           many processes at once, some of them killed, all results verified\n"
	     "  hold             reads \"lock KEY\" and \"unlock KEY\" from standard input\n\n"
	     "A set has reached the disk when it returns. Keys and values are any bytes, up to 1 MiB.\n\n"
	     "flags: --db FILE, --no-sync, --raw, --key-file FILE, --value-file FILE, --hold SECONDS,\n"
	     "       --with PROGRAM, --processes N, --duration SECONDS, --kills N\n\n"
	     "example:\n  kvstore set key1 value1\n  kvstore get key1");
}

static void parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "db", 1, NULL, 'd' }, { "no-sync", 0, NULL, 'n' }, { "raw", 0, NULL, 'r' },
		{ "key-file", 1, NULL, 'k' }, { "value-file", 1, NULL, 'v' }, { "hold", 1, NULL, 'H' },
		{ "with", 1, NULL, 'w' }, { "processes", 1, NULL, 'p' }, { "duration", 1, NULL, 't' },
		{ "kills", 1, NULL, 'K' }, { "help", 0, NULL, 'h' }, { 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		char *end = "";

		switch (c) {
		case 'd': opt.db = optarg; opt.db_given = true; break;
		case 'n': opt.no_sync = true; break;
		case 'r': opt.raw = true; break;
		case 'k': opt.key_file = optarg; break;
		case 'v': opt.value_file = optarg; break;
		case 'w': opt.with = optarg; break;
		case 'H': opt.hold = strtod(optarg, &end); break;
		case 't': opt.duration = strtod(optarg, &end); break;
		case 'p': opt.processes = (int)strtol(optarg, &end, 10); break;
		case 'K': opt.kills = (int)strtol(optarg, &end, 10); break;
		case 'h': help(); exit(0);
		default: fputs("Try 'kvstore --help'.\n", stderr); exit(2);
		}
		if (*end || (optarg && !*optarg))
			bad_usage("%s: no number", optarg);
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int least, most;
	} commands[] = {
		{ "set", 0, 2 }, { "get", 0, 1 }, { "del", 0, 1 }, { "list", 0, 0 }, { "lock-test", 1, 1 },
		{ "deadlock-test", 0, 2 }, { "check", 0, 0 }, { "stress", 0, 0 }, { "stress-worker", 2, 3 },
		{ "hold", 0, 0 }, { "measure", 3, 3 }, { 0 },
	};
	static struct bytes key;
	char **args, command;
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
	if (n < commands[i].least || n > commands[i].most)
		bad_usage("%s: wrong number of arguments", argv[optind]);
	st.no_sync = opt.no_sync;
	command = "sgdl1DcSwhm"[i];
	if (strchr("sgd", command)) {
		if (opt.key_file)
			key = read_file(opt.key_file);
		else if (!n)
			bad_usage("%s: a key is missing", argv[optind]);
		else
			key = (struct bytes){ (uint8_t *)*args, strlen(*args) }, args++, n--;
		if (command != 's' && n)
			bad_usage("%s: one key, please", argv[optind]);
	}
	switch (command) {
	case 's': return set(key, args);
	case 'g': return get_or_delete(key, false);
	case 'd': return get_or_delete(key, true);
	case 'l': return list();
	case 'm': return measure(args[0], strtoull(args[1], NULL, 10), strtoll(args[2], NULL, 10));
	case 'c': open_store(opt.db, false); check(opt.db); return 0;
	case 'h': open_store(opt.db, true); hold(); return 0;
	case 'w': open_store(opt.db, true); work(args[0], args[1], n == 3); return 0;
	}
	if (command == 'S') {
		struct stress s = { opt.db_given ? opt.db : NULL, opt.with, opt.no_sync, opt.processes, opt.kills, opt.duration };

		if (s.processes < 1 || s.processes > 1000 || s.kills < 0 || s.kills > 100000 || !(s.seconds > 0 && s.seconds <= 86400))
			bad_usage("stress: 1 to 1000 processes, 0 to 100000 kills, up to 86400 seconds");
		return stress(&s);
	}
	if (command == '1' && !(opt.hold >= 0 && opt.hold <= 3600))
		bad_usage("--hold: 0 to 3600 seconds");
	if (command == 'D' && n == 1)
		bad_usage("deadlock-test: two keys or none");
	open_store(opt.db, true);
	if (command == '1') {
		lock_test(opt.db, opt.with, args[0], opt.hold);
	} else {
		const char *keys[2] = { n ? args[0] : "key1", n ? args[1] : NULL };

		choose_keys(keys);
		deadlock_test(opt.db, opt.with, keys);
	}
	return 0;
}
