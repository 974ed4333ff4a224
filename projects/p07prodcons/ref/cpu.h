/* On which CPU the members of a run are. */
#ifndef CPU_H
#define CPU_H

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define ANY_CPU (-1)	/* the kernel chooses, and may choose again */

/*
 * Keeps this thread on a CPU, unless it is ANY_CPU, under SCHED_BATCH: whoever it wakes
 * there runs when it sleeps, not in its place. Says which call failed and returns false.
 */
static inline bool keep_to_cpu(int cpu)
{
	const struct sched_param none = { 0 };
	const char *call = "sched_setaffinity";
	cpu_set_t one;

	if (cpu == ANY_CPU)
		return true;
	CPU_ZERO(&one);
	CPU_SET((size_t)cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one) == 0) {
		call = "sched_setscheduler";
		if (sched_setscheduler(0, SCHED_BATCH, &none) == 0)
			return true;
	}
	fprintf(stderr, "%s: CPU %d: %s: %s\n", program_invocation_short_name, cpu, call, strerror(errno));
	return false;
}

#endif
