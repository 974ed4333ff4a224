/* Whether a process is the one that it was, as package alive has it. */
#ifndef ALIVE_H
#define ALIVE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

/*
 * When a process was started, in clock ticks since the machine was: with the pid, that
 * names the process for good. False if there is none, or only a zombie.
 */
static inline bool started(pid_t pid, uint64_t *ticks)
{
	char path[32], stat[1024], state = 'X';
	unsigned long long start = 0;
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	FILE *f = pid > 0 ? fopen(path, "re") : NULL;
	if (!f)
		return false;
	stat[fread(stat, 1, sizeof stat - 1, f)] = '\0';
	fclose(f);
	/* PID (NAME) STATE ..., and NAME may hold anything. */
	const char *behind = strrchr(stat, ')');
	if (!behind ||
		sscanf(behind, ") %c" /* 4 to 21: */
			       "%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%llu",
			&state, &start) != 2)
		return false;
	*ticks = start;
	return state != 'Z' && state != 'X';
}

static inline bool is_process(pid_t pid, uint64_t since)
{
	uint64_t ticks;
	return started(pid, &ticks) && ticks == since;
}

#endif
