#include "unp_posixshm.h"

#include <fcntl.h>
#include <sys/mman.h>

int unp_shm_open(const char *name, int oflag, mode_t mode, int *fd)
{
	int n = shm_open(name, oflag, mode);
	if (n == -1)
		return errno;
	*fd = n;
	return 0;
}

int unp_shm_unlink(const char *name)
{
	return shm_unlink(name) == 0 ? 0 : errno;
}

int unp_shm_allocate(int fd, int64_t bytes)
{
	return posix_fallocate(fd, 0, bytes); /* returns the number, errno is untouched */
}
