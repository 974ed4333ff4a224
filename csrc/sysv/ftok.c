#include "unp_sysv.h"

#include <sys/ipc.h>

int unp_ftok(const char *path, int id, int32_t *key)
{
	errno = 0;
	key_t k = ftok(path, id);
	/* -1 is a key like any other: only errno tells. */
	if (k == (key_t)-1 && errno != 0)
		return errno;
	*key = k;
	return 0;
}
