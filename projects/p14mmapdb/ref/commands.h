/*
 * commands.h - what one can have the database do, one function a command.
 */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "bench.h"
#include "delete.h"

static struct {
	const char *size, *from, *to, *prefix, *batch, *limit, *records, *dir;
	bool raw, keys_only, reverse;
	char given[32]; /* letters of flags */
} opt = { .size = "1MB", .records = "1000000" };

static void __attribute__((noreturn, format(printf, 1, 2))) bad_usage(const char *format, ...)
{
	va_list args;

	fputs("mmapdb: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputs("\nTry 'mmapdb --help'.\n", stderr);
	exit(2);
}

/* A number from least to most, with a unit of 1024 where that is wanted. */
static uint64_t number(const char *flag, const char *text, uint64_t least, uint64_t most, bool units)
{
	static const char letters[] = "KMGT";
	char *end;
	unsigned long long n;
	const char *letter;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || errno)
		bad_usage("--%s: \"%s\" is no number", flag, text);
	if (units && *end) {
		letter = strchr(letters, *end & ~0x20);
		if (letter) {
			unsigned shift = 10 * (unsigned)(letter - letters + 1);

			n = n > most >> shift ? most + 1 : n << shift;
			end++;
		}
		end += *end == 'i' || *end == 'I';
		end += *end == 'b' || *end == 'B';
	}
	if (*end || n < least || n > most)
		bad_usage("--%s: \"%s\" is not from %llu to %llu", flag, text, (unsigned long long)least, (unsigned long long)most);
	return n;
}

static void create_command(const char *path)
{
	static const char *const units[] = { "B", "KB", "MB", "GB", "TB" };
	uint64_t size = (number("size", opt.size, 1, UINT64_C(1) << 43, true) + PAGE - 1) / PAGE * PAGE;
	unsigned unit = 0;

	create(path, size);
	while (unit < 4 && size % 1024 == 0) {
		size /= 1024;
		unit++;
	}
	printf("Database created: %s (%llu%s)\n", path, (unsigned long long)size, units[unit]);
}

struct bytes {
	uint8_t *of;
	size_t n;
};

static struct bytes argument(const char *text)
{
	return (struct bytes){ (uint8_t *)text, strlen(text) };
}

static struct bytes read_value(void)
{
	static struct bytes b;
	size_t room = 0, n;

	do {
		room = room ? 2 * room : 65536;
		b.of = resize(b.of, room);
		n = fread(b.of + b.n, 1, room - b.n, stdin);
		b.n += n;
	} while (b.n == room && b.n <= MAX_VALUE);
	if (ferror(stdin))
		die("read standard input: %s", strerror(errno));
	return b;
}

static void __attribute__((noreturn)) no_key(struct bytes key)
{
	fflush(stdout);
	fputs("mmapdb: ", stderr);
	dup2(2, 1);
	print_escaped(key.of, key.n < 100 ? key.n : 100);
	puts(": no such key");
	exit(1);
}

static void check_key(struct bytes key)
{
	if (!key.n || key.n > MAX_KEY)
		die("a key has 1 to %d bytes", MAX_KEY);
}

static void insert_command(const char *path, const char *key_text, const char *value_text)
{
	struct bytes key = argument(key_text), value = argument(value_text);
	const struct page *leaf;
	struct cursor c;
	uint64_t offset;

	check_key(key);
	if (!strcmp(value_text, "-"))
		value = read_value();
	if (value.n > MAX_VALUE)
		die("a value has at most %d bytes", MAX_VALUE);
	open_database(path);
	begin_write();
	put(key.of, key.n, value.of, value.n);
	descend(&c, key.of, key.n);
	leaf = cursor_leaf(&c);
	offset = (uint64_t)c.at[c.depth - 1].page * PAGE + (uint64_t)(cursor_item(&c).cell - (const uint8_t *)leaf);
	commit();
	end_write();
	printf("Inserted at offset %llu\n", (unsigned long long)offset);
}

static void get_command(const char *path, const char *key_text)
{
	struct bytes key = argument(key_text);
	struct value value;
	struct cursor c;

	check_key(key);
	open_database(path);
	begin_read();
	if (!descend(&c, key.of, key.n))
		no_key(key);
	value = value_of(cursor_item(&c));
	fwrite(value.of, 1, value.size, stdout);
	if (!opt.raw)
		putchar('\n');
}

static void delete_command(const char *path, const char *key_text)
{
	struct bytes key = argument(key_text);

	check_key(key);
	open_database(path);
	begin_write();
	if (!delete(key.of, key.n))
		no_key(key);
	commit();
	end_write();
	fputs("Deleted ", stdout);
	print_escaped(key.of, key.n);
	putchar('\n');
}

/* The first key behind all that have a prefix; none if that has but bytes 0xff. */
static bool behind_prefix(struct bytes *to, struct bytes prefix)
{
	static uint8_t key[MAX_KEY];

	to->of = key;
	to->n = prefix.n < MAX_KEY ? prefix.n : MAX_KEY;
	memcpy(key, prefix.of, to->n);
	while (to->n && key[to->n - 1] == 0xff)
		to->n--;
	if (to->n)
		key[to->n - 1]++;
	return to->n > 0;
}

static void scan_command(const char *path)
{
	struct bytes from = argument(opt.from ? opt.from : ""), to = argument(opt.to ? opt.to : ""), end;
	uint64_t limit = opt.limit ? number("limit", opt.limit, 1, INT64_MAX, false) : UINT64_MAX;
	bool bounded = opt.to, more;
	struct cursor c;

	if (opt.prefix) {
		struct bytes prefix = argument(opt.prefix);

		if (compare(prefix.of, prefix.n, from.of, from.n) > 0)
			from = prefix;
		if (behind_prefix(&end, prefix) && (!bounded || compare(end.of, end.n, to.of, to.n) < 0)) {
			to = end;
			bounded = true;
		}
	}
	open_database(path);
	begin_read();
	if (opt.reverse)
		more = bounded ? seek(&c, to.of, to.n, true) : rewind_to(&c, true);
	else
		more = seek(&c, from.of, from.n, false);
	for (; more && limit; more = step(&c, opt.reverse), limit--) {
		struct item item = cursor_item(&c);

		if (opt.reverse ? compare(item.key, item.key_size, from.of, from.n) < 0 :
				  bounded && compare(item.key, item.key_size, to.of, to.n) >= 0)
			break;
		print_escaped(item.key, item.key_size);
		if (!opt.keys_only) {
			struct value value = value_of(item);

			putchar('\t');
			print_escaped(value.of, value.size);
		}
		putchar('\n');
	}
}

static void stat_command(const char *path)
{
	unsigned readers = 0;

	open_database(path);
	begin_read();
	for (unsigned i = 0; db.s && i < SLOTS; i++)
		readers += LOAD(&db.s->slot[i].tx) != 0;
	printf("records: %llu\ntransaction: %llu\ndurable: %llu\ndepth: %u\npages: %u\nfree pages: %u\nlog pages: %u\nreaders: %u\nsize: %llu\n",
	       (unsigned long long)db.now.records, (unsigned long long)db.now.tx,
	       db.s ? (unsigned long long)LOAD(&db.s->durable) / 2 : 0, db.now.depth, db.now.pages, db.now.free, db.now.log_len,
	       readers - (db.slot != NULL), (unsigned long long)file_size(db.fd, db.path));
}

static void check_command(const char *path)
{
	open_database(path);
	begin_read();
	check_other_meta();
	check_state();
	printf("%s: %llu records in %u pages: OK\n", path, (unsigned long long)ck.records, ck.used + FIRST_PAGE);
}

static void backup_command(const char *path, const char *to)
{
	open_database(path);
	begin_read();
	backup(to);
	printf("Backup written: %s (%llu records)\n", to, (unsigned long long)db.now.records);
}

#endif
