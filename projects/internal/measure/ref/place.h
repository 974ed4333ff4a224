/* Which CPU a process runs on, as place.go of package measure has it. */
#ifndef PLACE_H
#define PLACE_H

#include <sched.h>

/* Keeps this thread to the nth CPU it may run on, round and round where there are fewer:
 * on one CPU those who are to run beside each other would take turns. */
static inline void keep_to_cpu(int nth)
{
	cpu_set_t allowed, one;

	if (sched_getaffinity(0, sizeof(allowed), &allowed) || CPU_COUNT(&allowed) < 2)
		return;
	nth %= CPU_COUNT(&allowed);
	CPU_ZERO(&one);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &allowed) && nth-- == 0)
			CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

#endif
