/* The commands on keys, and the loop that the benchmark times. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "check.h"
#include "options.h"

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

#endif
