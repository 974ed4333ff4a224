/* What is asked for, and the display of a run. */
#ifndef DISPLAY_H
#define DISPLAY_H

#include "member.h"

static struct {
	int processes, iterations, outside, kill_index, kill_round, work, kind;
	key_t key;
	bool respawn, quiet;
} cfg = {.processes = 5, .iterations = 3};

/* Shows the rounds one after the other, though a process may be ahead of the news. */
static struct {
	int round, *passed, early_count;
	struct event *early;
} show = {.round = 1};

static void show_early(void)
{
	for (int i = 0; i < show.early_count; i++)
		printf("[P%d] Reached barrier %d\n", show.early[i].index, show.early[i].round);
	show.early_count = 0;
}

static void show_event(const struct event *e)
{
	if (e->what == HAS_REACHED && e->round > show.round && show.early_count < 2 * cfg.processes) {
		show.early[show.early_count++] = *e;
		return;
	} else if (e->what == HAS_REACHED) {
		printf("[P%d] Reached barrier %d\n", e->index, e->round);
		return;
	}
	show.passed[e->index - 1] = e->round;
	for (int i = 0; i < cfg.processes - cfg.outside; i++)
		if (show.passed[i] < show.round)
			return;
	printf("--- All processes passed barrier %d ---\n\n", show.round);
	show.round++;
	show_early();
}

#endif
