/* What one mechanism is measured to do, in several runs of two processes. */
#ifndef RUNS_H
#define RUNS_H

#include "pair.h"
#include "tables.h"

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, int n)
{
	qsort(values, n, sizeof(*values), by_value);
	return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

/* Adds the [ns, how often] pairs of a report to our histogram. */
static void add_times(const char *text)
{
	unsigned long long ns;
	unsigned int often;
	int used;

	for (text = strstr(text, "\"histogram\":["); text && (text = strpbrk(text + 1, "[")); text += used) {
		used = 0;
		if (sscanf(text, "[%llu,%u]%n", &ns, &often, &used) != 2)
			used = 0;
		for (unsigned int i = 0; used && i < often; i++)
			histogram_add(histogram, ns);
	}
}

static void measure(const struct mechanism *m, uint64_t iterations, int runs, struct line *l)
{
	static char text[1 << 20];
	double rates[runs];

	for (channel = channels; strcmp(channel->name, m->channel) != 0; channel++)
		;
	warmup = (1 << 18) / size;
	warmup = warmup < 2 ? 2 : warmup > 64 ? 64 : warmup;
	memset(histogram, 0, sizeof(histogram));
	for (int run = 0; run < 2 * runs; run++) {
		bool trips = run % 2;
		const char *ns, *why;

		memset(made.fds, -1, sizeof(made.fds));
		made.queue = -1;
		*skipped = 0;
		m->make();
		if (*skipped) {
			remove_made();
			strcpy(l->skipped, skipped);
			return;
		}
		count = trips ? round_trips(iterations) : iterations;
		if (trips)
			why = run_pair(run_ping, run_pong, 0, text, sizeof(text));
		else
			why = run_pair(run_send, run_recv, 1, text, sizeof(text));
		remove_made();
		ns = strstr(text, "\"ns\":");
		if (!why && !ns)
			why = "a process reported no time";
		if (why) { /* what was measured so far does not count */
			strcpy(l->failed, why);
			fprintf(stderr, "ipc_benchmark: %s, %zu bytes: %s\n", m->name, size, why);
			return;
		}
		if (trips)
			add_times(text);
		else
			rates[run / 2] = count * 1e9 / strtod(ns + 5, NULL);
	}
	l->rate = median(rates, runs);
	histogram_times(histogram, &l->avg, &l->p99);
	l->avg /= 2;
	l->p99 /= 2;
}

#endif
