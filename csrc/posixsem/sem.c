#include "unp_posixsem.h"

#include <semaphore.h>

size_t unp_sem_size(void)
{
	return sizeof(sem_t);
}

size_t unp_sem_alignment(void)
{
	return _Alignof(sem_t);
}

int unp_sem_init(void *sem, int shared, unsigned int value)
{
	return sem_init(sem, shared, value) == 0 ? 0 : errno;
}

int unp_sem_destroy(void *sem)
{
	return sem_destroy(sem) == 0 ? 0 : errno;
}

int unp_sem_post(void *sem)
{
	return sem_post(sem) == 0 ? 0 : errno;
}

int unp_sem_getvalue(void *sem, int *value)
{
	int v;
	if (sem_getvalue(sem, &v) != 0)
		return errno;
	*value = v;
	return 0;
}
