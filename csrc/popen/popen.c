#include "unp_popen.h"

#include <stdio.h>

int unp_popen(const char *command, const char *mode, void **stream, int *fd)
{
	errno = 0;
	FILE *f = popen(command, mode);
	if (f == NULL)
		return errno != 0 ? errno : ENOMEM; /* popen(3) need not set it for memory */
	*stream = f;
	*fd = fileno(f);
	return 0;
}

int unp_pclose(void *stream, int *status)
{
	int s = pclose(stream);
	if (s == -1)
		return errno;
	*status = s;
	return 0;
}
