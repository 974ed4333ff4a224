#include "unp_posixsem.h"

#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

int unp_sem_open(const char *name, int oflag, mode_t mode, unsigned int value, void **sem)
{
	sem_t *s = sem_open(name, oflag, mode, value);
	if (s == SEM_FAILED)
		return errno;
	*sem = s;
	return 0;
}

int unp_sem_close(void *sem)
{
	return sem_close(sem) == 0 ? 0 : errno;
}

int unp_sem_unlink(const char *name)
{
	return sem_unlink(name) == 0 ? 0 : errno;
}

/* Whether the file is what is mapped at sem. */
static int maps(const void *sem, const struct stat *file)
{
	FILE *f = fopen("/proc/self/maps", "re");
	if (!f)
		return 0;
	char line[512];
	unsigned long start, end, inode;
	unsigned int major, minor;
	int found = 0;
	while (!found && fgets(line, sizeof line, f))
		found = sscanf(line, "%lx-%lx %*s %*s %x:%x %lu", &start, &end, &major, &minor, &inode) == 5 &&
			start <= (uintptr_t)sem && (uintptr_t)sem < end && inode == file->st_ino &&
			makedev(major, minor) == file->st_dev;
	fclose(f);
	return found;
}

int unp_sem_chmod(void *sem, const char *path, mode_t mode)
{
	/* O_PATH needs no permission of the file, whose mode may give none yet. */
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return errno == ENOENT ? 0 : errno;
	struct stat file;
	char itself[32];
	int error = fstat(fd, &file) == 0 ? 0 : errno;
	snprintf(itself, sizeof itself, "/proc/self/fd/%d", fd);
	if (!error && (file.st_mode & 07777) != mode && maps(sem, &file) && chmod(itself, mode) != 0)
		error = errno;
	close(fd);
	return error;
}
