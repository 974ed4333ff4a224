#include "unp_pipe.h"

#include <unistd.h>

int unp_pipe_buf(int fd, long *bytes)
{
	errno = 0;
	long n = fpathconf(fd, _PC_PIPE_BUF);
	if (n < 0 && errno != 0)
		return errno;
	*bytes = n;
	return 0;
}
