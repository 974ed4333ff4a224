#include "unp_posixmq.h"

#include <fcntl.h>
#include <mqueue.h>

int unp_mq_open(const char *name, int oflag, mode_t mode, const struct unp_mq_size *size, int *mqd)
{
	struct mq_attr attr = {0};
	if (size) {
		attr.mq_maxmsg = size->maxmsg;
		attr.mq_msgsize = size->msgsize;
	}
	mqd_t q = mq_open(name, oflag | O_CLOEXEC, mode, size ? &attr : NULL);
	if (q == (mqd_t)-1)
		return errno;
	*mqd = q;
	return 0;
}

int unp_mq_unlink(const char *name)
{
	return mq_unlink(name) == 0 ? 0 : errno;
}
