/* How the two processes meet, and how one sees that the other is gone. */
#ifndef END_H
#define END_H

#include "../../internal/seats/ref/seats.h"
#include "spsc.h"

static struct end_of at;

/*
 * traffic.h calls this now and then while it waits. The other one has gone too early if
 * it has left the queue empty for a consumer, or not empty for a producer.
 */
static void check_peer(void)
{
	if (peer_gone(&at) && queue_empty(at.memory) == (at.seat == GUEST))
		die("the %s is gone", at.seat == MAKER ? "consumer" : "producer");
}

#endif
