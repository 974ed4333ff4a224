/*
 * kvstore - a store of keys and values for many processes at once: one file, and a lock
 * file with one byte a bucket.
 */
#include "commands.h"
#include "stress.h"

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
