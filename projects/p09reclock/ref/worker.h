/*
 * worker.h - one process of a stress run, and the journal that outlives it when it is
 * killed.
 */
#ifndef WORKER_H
#define WORKER_H

#include "open.h"

enum { OWN_KEYS = 20, SHARED_KEYS = 8, MOST = 128 + 100000 };

/* The only value that a key may have for a number; its length. */
static size_t pattern(uint8_t *to, const char *key, int number)
{
	size_t n = (size_t)sprintf((char *)to, "%s %d ", key, number);
	int length = number % 64 == 63 ? 100000 : number * 7919 % 3000;

	for (int i = 0; i < length; i++)
		to[n++] = (uint8_t)(number + i);
	return n;
}

/* The number that the key's value was made of, 0 if it has none. */
static int number_of(const char *key)
{
	static uint8_t want[MOST];
	char text[128];
	size_t n = 0, k = strlen(key);
	uint8_t *value = get((const uint8_t *)key, k, &n);
	int number = -1;

	if (!value)
		return 0;
	memcpy(text, value, n < sizeof(text) - 1 ? n : sizeof(text) - 1);
	text[n < sizeof(text) - 1 ? n : sizeof(text) - 1] = '\0';
	if (strncmp(text, key, k) || sscanf(text + k, " %d ", &number) != 1 || number < 0 ||
	    pattern(want, key, number) != n || memcmp(want, value, n))
		die("%s has a value that nobody set, of %zu bytes", key, n);
	free(value);
	return number;
}

static bool set_number(const char *key, int number)
{
	static uint8_t value[MOST];
	size_t n = number ? pattern(value, key, number) : 0;
	bool done = put((const uint8_t *)key, strlen(key), number ? value : NULL, n);

	rewrite();
	return done;
}

static struct {
	int fd;
	const char *name;
	int is[OWN_KEYS], may[OWN_KEYS], last; /* see the Go package's worker */
} journal;

static void __attribute__((format(printf, 1, 2))) note(const char *format, ...)
{
	char line[128];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (write(journal.fd, line, (size_t)n) != n)
		die("write %s: %s", journal.name, strerror(errno));
}

static void read_journal(void)
{
	FILE *f = fopen(journal.name, "r");
	char line[128], verb;
	int key, number;

	memset(journal.may, -1, sizeof(journal.may));
	while (f && fgets(line, sizeof(line), f)) {
		int n = sscanf(line, "%c %d %d", &verb, &key, &number);

		if (n < 2 || key < 0 || key >= OWN_KEYS)
			die("%s: not understood: %s", journal.name, line);
		if (verb == '+' && journal.may[key] >= 0)
			die("%s: two calls at once for key %d", journal.name, key);
		if (verb == '+')
			journal.may[key] = number;
		if (verb == '+' && number > journal.last)
			journal.last = number;
		if (verb == '=') {
			journal.is[key] = journal.may[key];
			journal.may[key] = -1;
		}
	}
	if (f)
		fclose(f);
}

static void work(const char *worker, const char *name, bool verify_only)
{
	char key[64];

	journal.name = name;
	journal.fd = open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (journal.fd == -1)
		die("open %s: %s", name, strerror(errno));
	read_journal();
	for (int i = 0; i < OWN_KEYS; i++) {
		int found;

		snprintf(key, sizeof(key), "w%s-%d", worker, i);
		found = number_of(key);
		if (found != journal.is[i] && found != journal.may[i])
			die("%s has number %d, and %d was set", key, found, journal.is[i]);
		if (journal.may[i] >= 0)
			note(found == journal.may[i] ? "= %d\n" : "= %d\n+ %d %d\n= %d\n", i, i, found, i);
		journal.is[i] = found;
	}
	puts("verified");
	fflush(stdout);
	srandom((unsigned)getpid() ^ (unsigned)time(NULL));
	while (!verify_only) {
		int dice = (int)(random() % 100), i = (int)(random() % OWN_KEYS);
		bool shared = dice >= 80;

		snprintf(key, sizeof(key), shared ? "shared-%s%d" : "w%s-%d", shared ? "" : worker, shared ? i % SHARED_KEYS : i);
		if (dice < 60) {
			int number = dice < 50 ? ++journal.last : 0;

			if (!number && !journal.is[i])
				continue;
			note("+ %d %d\n", i, number);
			if (!set_number(key, number))
				die("%s: no such key", key);
			journal.is[i] = number;
			note("= %d\n", i);
		} else if (!shared && number_of(key) != journal.is[i]) {
			die("%s is not %d", key, journal.is[i]);
		} else if (shared && i % 2 == 0) {
			set_number(key, 1 + (int)(random() % 1000));
		} else if (shared) {
			number_of(key);
		}
	}
}

#endif
