/*
 * bulk.h - records as lines of text, one form for reading and for writing: key, tab, value;
 * a backslash is \\, other bytes that are no text are \xNN.
 */
#ifndef BULK_H
#define BULK_H

#include "change.h"

static void print_escaped(const uint8_t *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (text[i] == '\\')
			fputs("\\\\", stdout);
		else if (text[i] < ' ' || text[i] == 0x7f)
			printf("\\x%02x", text[i]);
		else
			putchar_unlocked(text[i]);
}

static int hex_digit(uint8_t c)
{
	const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c | (c >= 'A' ? 0x20 : 0)) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Takes escapes out, in place; false if one makes no sense. */
static bool unescape(uint8_t *text, size_t *n)
{
	size_t to = 0;

	for (size_t i = 0; i < *n; i++) {
		int high, low;

		if (text[i] != '\\') {
			text[to++] = text[i];
		} else if (i + 1 < *n && text[i + 1] == '\\') {
			text[to++] = text[++i];
		} else {
			if (i + 3 >= *n || text[i + 1] != 'x' || (high = hex_digit(text[i + 2])) < 0 ||
			    (low = hex_digit(text[i + 3])) < 0)
				return false;
			text[to++] = (uint8_t)(high << 4 | low);
			i += 3;
		}
	}
	*n = to;
	return true;
}

/* A record on its way from a line into the database. */
struct record {
	uint8_t *line, *value;
	size_t key_size, value_size;
};

static struct {
	const char *name;
	FILE *from;
	unsigned long long line;
	struct record *of;
	size_t n, room;
	unsigned long long inserted;
} bulk;

static void __attribute__((noreturn)) bad_line(const char *why)
{
	die("%s:%llu: %s", bulk.name, bulk.line, why);
}

/* Reads a line; false at the end. */
static bool read_record(struct record *r)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n;
	uint8_t *tab;

	errno = 0;
	n = getline(&line, &room, bulk.from);
	if (n == -1 && ferror(bulk.from))
		die("read %s: %s", bulk.name, strerror(errno));
	if (n == -1) {
		free(line);
		return false;
	}
	bulk.line++;
	if (line[n - 1] == '\n')
		n--;
	r->line = (uint8_t *)line;
	tab = memchr(line, '\t', (size_t)n);
	if (!tab)
		bad_line("no tab between key and value");
	r->key_size = (size_t)(tab - r->line);
	r->value = tab + 1;
	r->value_size = (size_t)n - r->key_size - 1;
	if (!unescape(r->line, &r->key_size) || !unescape(r->value, &r->value_size))
		bad_line("a backslash that is neither \\\\ nor \\xNN");
	if (!r->key_size || r->key_size > MAX_KEY)
		bad_line("a key has 1 to 1024 bytes");
	if (r->value_size > MAX_VALUE)
		bad_line("a value has at most 67108864 bytes");
	return true;
}

/* Inserts up to so many lines in one transaction, which begins when all of them are there:
 * nobody waits for one who writes slowly. False at the end. */
static bool insert_lines(uint64_t batch)
{
	struct record r;

	for (bulk.n = 0; bulk.n < batch && read_record(&r); bulk.of[bulk.n++] = r)
		bulk.of = more(bulk.of, bulk.n, &bulk.room, sizeof(*bulk.of));
	if (!bulk.n)
		return false;
	begin_write();
	for (size_t i = 0; i < bulk.n; i++) {
		put(bulk.of[i].line, bulk.of[i].key_size, bulk.of[i].value, bulk.of[i].value_size);
		free(bulk.of[i].line);
	}
	commit();
	end_write();
	bulk.inserted += bulk.n;
	printf("Inserted %llu records\n", bulk.inserted);
	fflush(stdout);
	return bulk.n == batch;
}

static void insert_from(const char *name, uint64_t batch)
{
	bulk.name = strcmp(name, "-") ? name : "standard input";
	bulk.from = strcmp(name, "-") ? fopen(name, "re") : stdin;
	if (!bulk.from)
		die("open %s: %s", name, strerror(errno));
	while (insert_lines(batch))
		;
	if (!bulk.inserted)
		puts("Inserted 0 records");
}

#endif
