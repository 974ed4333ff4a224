/* The formats. Their titles, names and columns are those of table.go. */
#ifndef TABLES_H
#define TABLES_H

#include "channels.h"

struct line {
	const struct mechanism *mechanism;
	double rate;	 /* messages a second */
	double avg, p99; /* ns, half of a round trip */
	char skipped[256]; /* why it cannot be measured, and */
	char failed[64];   /* why its check failed; "" if it was measured */
};

/* A tenth as many as messages one way, but some. */
static uint64_t round_trips(uint64_t iterations)
{
	uint64_t least = iterations < 1000 ? iterations : 1000;

	return iterations / 10 < least ? least : iterations / 10;
}

/* The fastest, of all or of the simple ones; NULL if none was measured. */
static const char *winner(const struct line *lines, bool simple)
{
	const char *name = NULL;
	double best = 0;

	for (size_t m = 0; m < MECHANISMS; m++)
		if (lines[m].rate > best && (!simple || lines[m].mechanism->simple)) {
			best = lines[m].rate;
			name = lines[m].mechanism->winner;
		}
	return name;
}

static const char *scaled(char *text, uint64_t n, unsigned int kilo)
{
	uint64_t mega = (uint64_t)kilo * kilo;

	if (n % mega == 0)
		sprintf(text, "%lluM", (unsigned long long)(n / mega));
	else if (n % kilo == 0)
		sprintf(text, "%lluK", (unsigned long long)(n / kilo));
	else
		sprintf(text, "%llu", (unsigned long long)n);
	return text;
}

static int title(char *text, size_t room, uint64_t n)
{
	char s[32], c[32];

	return snprintf(text, room, "IPC Mechanism Benchmark (%sB messages, %s iterations)",
		scaled(s, size, 1024), scaled(c, n, 1000));
}

static const char *throughput(char *text, const struct line *l)
{
	double bytes = l->rate * size;

	if (bytes >= 1e9)
		sprintf(text, "%.1f GB/s", bytes / 1e9);
	else
		sprintf(text, "%.1f MB/s", bytes / 1e6);
	return text;
}

static void repeat(const char *what, int n)
{
	while (n-- > 0)
		fputs(what, stdout);
	putchar('\n');
}

static const char explanation[] =
	"Latency is half of a round trip; there were a tenth as many. Every message was verified.\n"
	"Best simplicity is the faster of Pipe and Unix Domain Socket, which need neither\n"
	"synchronization nor cleaning up.\n";

static void winners(const struct line *lines, const char *bullet)
{
	const char *raw = winner(lines, false), *simple = winner(lines, true);

	putchar('\n');
	if (raw)
		printf("%sWinner: %s (for raw throughput)\n", bullet, raw);
	if (simple)
		printf("%sBest simplicity: %s\n", bullet, simple);
}

static void notes(const struct line *lines, const char *bullet)
{
	for (size_t m = 0; m < MECHANISMS; m++)
		if (*lines[m].failed)
			printf("%s%s: FAILED: %s\n", bullet, lines[m].mechanism->name, lines[m].failed);
		else if (*lines[m].skipped)
			printf("%s%s: not possible here: %s\n", bullet, lines[m].mechanism->name, lines[m].skipped);
}

/* What stands in place of the throughput; "" if that was measured. */
static const char *unmeasured(const struct line *l)
{
	return *l->failed ? "FAILED" : *l->skipped ? "-" : "";
}

static void begin_nothing(int runs) { (void)runs; }
static void end_nothing(void) {}
static void end_explained(void) { fputs(explanation, stdout); }

static void table_lines(const struct line *lines, uint64_t n, bool first)
{
	char head[128], rate[32], avg[64];
	bool noted = false;

	(void)first;
	n = title(head, sizeof(head), n);
	puts(head);
	repeat("═", (int)n);
	printf("\n%-23s%-15s%-16s%s\n", "Mechanism", "Throughput", "Latency (avg)", "Latency (p99)");
	repeat("─", 23 + 15 + 16 + 13);
	for (size_t m = 0; m < MECHANISMS; m++) {
		const struct line *l = &lines[m];

		noted = noted || *unmeasured(l);
		if (*unmeasured(l)) {
			printf("%-23s%-15s%-16s%s\n", l->mechanism->name, unmeasured(l), "-", "-");
		} else { /* µ has two bytes and one column */
			snprintf(avg, sizeof(avg), "%.1f µs", l->avg / 1e3);
			printf("%-23s%-15s%-17s%.1f µs\n", l->mechanism->name, throughput(rate, l), avg,
				l->p99 / 1e3);
		}
	}
	winners(lines, "");
	putchar('\n');
	notes(lines, "");
	if (noted)
		putchar('\n');
}

static void md_lines(const struct line *lines, uint64_t n, bool first)
{
	char head[128], rate[32];

	(void)first;
	title(head, sizeof(head), n);
	printf("## %s\n\n| Mechanism | Throughput | Latency (avg) | Latency (p99) |\n"
		"| --- | --- | --- | --- |\n", head);
	for (size_t m = 0; m < MECHANISMS; m++) {
		const struct line *l = &lines[m];

		if (*unmeasured(l))
			printf("| %s | %s | - | - |\n", l->mechanism->name, unmeasured(l));
		else
			printf("| %s | %s | %.1f µs | %.1f µs |\n", l->mechanism->name,
				throughput(rate, l), l->avg / 1e3, l->p99 / 1e3);
	}
	winners(lines, "- ");
	notes(lines, "- ");
	putchar('\n');
}

static void csv_begin(int runs)
{
	(void)runs;
	puts("mechanism,size_bytes,iterations,language,messages_per_second,bytes_per_second,"
		"latency_avg_ns,latency_p99_ns,ratio_throughput,ratio_latency,skipped,failed");
}

static void csv_lines(const struct line *lines, uint64_t n, bool first)
{
	(void)first;
	for (size_t m = 0; m < MECHANISMS; m++) {
		const struct line *l = &lines[m];

		printf("%s,%zu,%llu,C,", l->mechanism->name, size, (unsigned long long)n);
		if (*unmeasured(l))
			printf(",,,,,,\"%s\",%s\n", l->skipped, l->failed);
		else
			printf("%.3f,%.3f,%.3f,%.3f,,,,\n", l->rate, l->rate * size, l->avg, l->p99);
	}
}

static void json_begin(int runs) { printf("{\n  \"runs\": %d,\n  \"results\": [", runs); }
static void json_end(void) { puts("\n  ]\n}"); }

static void json_lines(const struct line *lines, uint64_t n, bool first)
{
	for (size_t m = 0; m < MECHANISMS; m++) {
		const struct line *l = &lines[m];

		printf("%s\n    {\"mechanism\": \"%s\", \"size_bytes\": %zu, \"iterations\": %llu, "
			"\"language\": \"C\", ", first && m == 0 ? "" : ",", l->mechanism->name, size,
			(unsigned long long)n);
		if (*unmeasured(l))
			printf("\"%s\": \"%s\"}", *l->failed ? "failed" : "skipped",
				*l->failed ? l->failed : l->skipped);
		else
			printf("\"messages_per_second\": %.3f, \"bytes_per_second\": %.3f, "
				"\"latency_avg_ns\": %.3f, \"latency_p99_ns\": %.3f}",
				l->rate, l->rate * size, l->avg, l->p99);
	}
}

static const struct format {
	const char *name;
	void (*begin)(int runs);
	void (*lines)(const struct line *lines, uint64_t n, bool first);
	void (*end)(void);
} formats[] = {
	{"table", begin_nothing, table_lines, end_explained},
	{"json", json_begin, json_lines, json_end},
	{"csv", csv_begin, csv_lines, end_nothing},
	{"md", begin_nothing, md_lines, end_explained},
	{0},
};

#endif
