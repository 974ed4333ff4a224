/*
 * What the lecture's sorting programs have in common: their command line, a file's numbers
 * read by fscanf and sorted by qsort, and the output that -o asks for.
 */
#ifndef INTEGERS_H
#define INTEGERS_H

#include <ctype.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../cli/ref/cli.h"
#include "../../measure/ref/clock.h"

struct numbers {
	int *array;
	int size;
	int written; /* how many of them were */
};

static FILE *report;       /* where to say what was done */
static const char *output; /* -o */
static int worker_id = -1; /* --worker: be one */
static long parent_pid;    /* --parent: who started it */
static const char *workers_program; /* --workers: another program's workers */

/* The files are argv[optind] and what follows. with_workers: --workers is a flag. */
static inline void parse(int argc, char **argv, const char *about, int with_workers)
{
	static const struct option longs[] = {
		{ "output", required_argument, NULL, 'o' }, { "help", no_argument, NULL, 'h' },
		{ "workers", required_argument, NULL, 'w' }, { "worker", required_argument, NULL, 'i' },
		{ "parent", required_argument, NULL, 'p' }, { 0 },
	};
	const char *name = program_invocation_short_name;
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "o:h", longs, NULL)) != -1) {
		if (strchr("wip", c) && !with_workers)
			c = '?';
		switch (c) {
		case 'o': output = optarg; break;
		case 'w': workers_program = optarg; break;
		case 'i': worker_id = atoi(optarg); break;
		case 'p': parent_pid = atol(optarg); break;
		case 'h':
			printf("usage: %s [flags] FILE…\n\n%s\n\nflags:\n"
			       "  -h, --help          show this help\n"
			       "  -o, --output file   write all numbers, merged in their order, to this file; -: to standard output\n"
			       "%s\nexample:\n  %s a.txt b.txt c.txt d.txt\n  %s -o sorted.txt a.txt b.txt\n", name, about,
			       with_workers ? "      --workers program   whose workers sort the files (default: this one's)\n" : "",
			       name, name);
			exit(finish());
		default:
			bad_usage("%s: no such flag, or its value is missing", argv[optind - 1]);
		}
	}
	if (optind == argc)
		bad_usage("needs a file of numbers");
	if (output && !*output)
		bad_usage("--output needs the name of a file");
	report = output && !strcmp(output, "-") ? stderr : stdout;
	setvbuf(report, NULL, _IOLBF, 0); /* a fork copies what is in the buffer */
}

static inline void *allocate(void *old, size_t bytes, const char *what)
{
	void *memory = realloc(old, bytes ? bytes : 1);

	if (!memory)
		die("%s: no memory", what);
	return memory;
}

/* The difference of two int does not fit one, so it is not what is returned. */
static inline int compare(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

/* Says what fscanf stopped at; c is the sign that it took away. */
__attribute__((noreturn)) static inline void not_a_number(FILE *file, const char *name, int line, int c)
{
	char text[24];
	int n = 0;

	if (c != '-' && c != '+')
		c = getc(file);
	for (; c != EOF && !isspace(c) && n < 20; c = getc(file))
		text[n++] = c < ' ' || c > '~' ? '?' : c;
	text[n] = 0;
	die("%s:%d: \"%s%s\" is not a number", name, line, text, c == EOF || isspace(c) ? "" : "...");
}

static inline void sort_file(struct numbers *numbers, const char *name)
{
	FILE *file = fopen(name, "r");
	int size = 0, capacity = 1024, line = 1, c;
	int *array = allocate(NULL, capacity * sizeof(int), name);
	long number;

	if (!file)
		die("open %s: %s", name, strerror(errno));
	for (;;) {
		while (isspace(c = getc_unlocked(file))) /* fscanf would skip it, and not count lines */
			line += c == '\n';
		if (c == EOF)
			break;
		ungetc(c, file);
		errno = 0;
		if (fscanf(file, "%ld", &number) != 1)
			not_a_number(file, name, line, c);
		if (number < INT_MIN || number > INT_MAX)
			die("%s:%d: the number is not from %d to %d", name, line, INT_MIN, INT_MAX);
		if (size == capacity) {
			if (capacity > INT_MAX / 2)
				die("%s: more numbers than an int can count", name);
			capacity *= 2;
			array = allocate(array, capacity * sizeof(int), name);
		}
		array[size++] = number;
	}
	if (ferror(file))
		die("read %s: %s", name, strerror(errno));
	fclose(file);
	qsort(array, size, sizeof(int), compare);
	*numbers = (struct numbers){ .array = array, .size = size };
}

static char part[PATH_MAX]; /* an output that is being written */

static inline void remove_part(void)
{
	if (*part)
		unlink(part);
}

static inline void on_signal(int sig)
{
	remove_part();
	signal(sig, SIG_DFL);
	raise(sig);
}

/* The numbers of all lists in their order; the least is looked for in every list. */
static inline void write_merged(FILE *to, struct numbers *lists, int n)
{
	for (;;) {
		struct numbers *least = NULL;

		for (int i = 0; i < n; i++)
			if (lists[i].written < lists[i].size &&
			    (!least || lists[i].array[lists[i].written] < least->array[least->written]))
				least = &lists[i];
		if (!least)
			return;
		fprintf(to, "%d\n", least->array[least->written++]);
	}
}

static inline void write_output(struct numbers *lists, int n)
{
	static char target[PATH_MAX];
	struct stat st;
	int there;
	FILE *to;

	if (!strcmp(output, "-")) {
		write_merged(stdout, lists, n);
		return;
	}
	if (!realpath(output, target))
		snprintf(target, sizeof(target), "%s", output);
	there = stat(target, &st) == 0;
	if (!there || S_ISREG(st.st_mode)) {
		const char *slash = strrchr(target, '/');
		int folder = slash ? slash + 1 - target : 0;
		int signals[] = { SIGINT, SIGTERM };

		if (snprintf(part, sizeof(part), "%.*s.%s.part", folder, target, target + folder) >= (int)sizeof(part))
			*part = 0, die("%s: %s", output, strerror(ENAMETOOLONG));
		for (int i = 0; i < 2; i++)
			if (signal(signals[i], on_signal) == SIG_IGN)
				signal(signals[i], SIG_IGN);
		atexit(remove_part);
	}
	to = fopen(*part ? part : target, "w");
	if (!to)
		die("open %s: %s", output, strerror(errno));
	if (there && *part && fchmod(fileno(to), st.st_mode & 0777))
		die("chmod %s: %s", output, strerror(errno));
	write_merged(to, lists, n);
	there = ferror(to);
	if (fclose(to) || there || (*part && rename(part, target)))
		die("write %s: %s", output, strerror(errno));
	*part = 0;
}

/* The final array, as the lecture has it; then the output. Frees the lists. */
static inline int finish_sort(struct numbers *lists, int n, uint64_t start_ns)
{
	size_t total = 0;
	int *all, *pos;

	for (int i = 0; i < n; i++)
		total += lists[i].size;
	pos = all = allocate(NULL, total * sizeof(int), "the final array");
	for (int i = 0; i < n; i++) {
		memcpy(pos, lists[i].array, lists[i].size * sizeof(int));
		pos += lists[i].size;
	}
	fprintf(report, "presort time = %lfs\n", (now_ns() - start_ns) / 1e9);
	free(all);
	if (output)
		write_output(lists, n);
	for (int i = 0; i < n; i++)
		free(lists[i].array);
	free(lists);
	return finish();
}

#endif
