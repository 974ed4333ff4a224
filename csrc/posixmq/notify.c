#include "unp_posixmq.h"

#include <mqueue.h>
#include <signal.h>
#include <stdatomic.h>

static int notify(int mqd, const struct sigevent *event)
{
	return mq_notify(mqd, event) == 0 ? 0 : errno;
}

int unp_mq_notify_signal(int mqd, int signo, int value)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL,
		.sigev_signo = signo,
		.sigev_value = {.sival_int = value}};
	return notify(mqd, &event);
}

int unp_mq_notify_none(int mqd)
{
	struct sigevent event = {.sigev_notify = SIGEV_NONE};
	return notify(mqd, &event);
}

int unp_mq_notify_cancel(int mqd)
{
	return notify(mqd, NULL);
}

static _Atomic(void (*)(uintptr_t)) notified_function;

static void on_thread(union sigval cookie)
{
	void (*notified)(uintptr_t) = atomic_load(&notified_function);
	notified((uintptr_t)cookie.sival_ptr);
}

int unp_mq_notify_thread(int mqd, void (*notified)(uintptr_t cookie), uintptr_t cookie)
{
	struct sigevent event = {.sigev_notify = SIGEV_THREAD,
		.sigev_notify_function = on_thread,
		.sigev_value = {.sival_ptr = (void *)cookie}};
	atomic_store(&notified_function, notified);
	return notify(mqd, &event);
}
