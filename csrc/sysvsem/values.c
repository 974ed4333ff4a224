#include "unp_sysvsem.h"

#include <sys/ipc.h>
#include <sys/sem.h>

union semun {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
};

int unp_semset_setval(int semid, int semnum, int value)
{
	return semctl(semid, semnum, SETVAL, (union semun){.val = value}) == -1 ? errno : 0;
}

int unp_semset_getall(int semid, uint16_t *values)
{
	return semctl(semid, 0, GETALL, (union semun){.array = values}) == -1 ? errno : 0;
}

int unp_semset_setall(int semid, const uint16_t *values)
{
	return semctl(semid, 0, SETALL, (union semun){.array = (unsigned short *)values}) == -1 ? errno : 0;
}
