#include "unp_posixmq.h"

#include <unistd.h>

int unp_mq_limits(long *queues, long *priorities)
{
	errno = 0;
	long q = sysconf(_SC_MQ_OPEN_MAX);
	long p = sysconf(_SC_MQ_PRIO_MAX);
	if (errno != 0)
		return errno;
	*queues = q;
	*priorities = p;
	return 0;
}
