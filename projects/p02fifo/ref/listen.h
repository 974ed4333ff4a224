/* The server's well-known FIFO: made, taken over from the dead, or left to the living. */
#ifndef LISTEN_H
#define LISTEN_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "calc.h"

static _Noreturn void die(const char *call, const char *path, const char *why)
{
	fprintf(stderr, "calc_server: %s%s%s: %s\n", call, *call ? " " : "", path, why);
	exit(1);
}

static bool named(const char *path, int fd)
{
	struct stat a, b;
	return lstat(path, &a) == 0 && fstat(fd, &b) == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

/* Makes the well-known FIFO or takes over one that nobody reads. */
static int listen_at(const char *path)
{
	static const char alive[] = "a server is already listening";
	struct stat st;
	for (int attempt = 0; attempt < 10; attempt++) {
		if (mkfifo(path, 0600) != 0 && errno != EEXIST)
			die("mkfifo", path, strerror(errno));
		if (lstat(path, &st) != 0)
			continue; /* a server just removed it */
		if (!S_ISFIFO(st.st_mode))
			die("", path, "not a FIFO");
		if (st.st_uid != geteuid())
			die("", path, "another user's FIFO");
		int probe = open(path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
		if (probe >= 0)
			die("", path, alive);
		if (errno == ENOENT)
			continue;
		if (errno != ENXIO)
			die("open", path, strerror(errno));
		/* A writer of its own: the server never reads end of file. */
		int fd = open(path, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0)
			die("open", path, strerror(errno));
		/* Two servers may have come this far; a lock ends with its process. */
		if (flock(fd, LOCK_EX | LOCK_NB) != 0)
			die("", path, alive);
		if (named(path, fd)) {
			fchmod(fd, 0600);
			return fd;
		}
		close(fd);
	}
	die("", path, "keeps being replaced");
}

/* Removes the FIFOs of clients that were killed. */
static void remove_dead_replies(const char *server)
{
	char path[PATH_MAX];
	snprintf(path, sizeof path, "%.*s.", directory_length(server), server);
	DIR *dir = opendir(path);
	struct dirent *entry;
	while (dir && (entry = readdir(dir))) {
		char *end = NULL;
		long pid = 0;
		struct stat st;
		if (strncmp(entry->d_name, REPLY_PREFIX, strlen(REPLY_PREFIX)) == 0)
			pid = strtol(entry->d_name + strlen(REPLY_PREFIX), &end, 10);
		if (pid <= 0 || pid > INT_MAX || *end || kill(pid, 0) == 0 || errno != ESRCH)
			continue;
		reply_path(path, server, pid);
		if (lstat(path, &st) != 0 || !S_ISFIFO(st.st_mode) || st.st_uid != geteuid())
			continue;
		/* A reader has a pid of another namespace, and is alive. */
		int fd = open(path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0)
			close(fd);
		else if (errno == ENXIO)
			unlink(path);
	}
	if (dir)
		closedir(dir);
}

#endif
