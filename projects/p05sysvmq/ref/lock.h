/*
 * Who owns the queue of a key: the process that has locked the key's file, by a lock of
 * the open file description, which the kernel drops with the process.
 */
#ifndef LOCK_H
#define LOCK_H

#include <fcntl.h>
#include <sys/stat.h>

#include "sysv.h"

#define LOCK_PATH_SIZE 64

/* The server that holds, or was the last to hold, the lock. */
struct owner {
	int pid, msqid;
};

static inline const char *lock_path(char path[LOCK_PATH_SIZE], key_t key)
{
	/* Containers that share an IPC namespace share /dev/shm with it. */
	snprintf(path, LOCK_PATH_SIZE, "/dev/shm/sysv_server.0x%08x", key);
	return path;
}

static inline struct owner read_owner(int fd)
{
	struct owner o = {0, 0};
	char text[64];
	ssize_t n = pread(fd, text, sizeof text - 1, 0);
	text[n < 0 ? 0 : n] = '\0';
	if (sscanf(text, "%d %d", &o.pid, &o.msqid) != 2)
		o = (struct owner){0, 0}; /* not written yet */
	return o;
}

static inline void write_owner(int fd, const char *path, int msqid)
{
	char text[64];
	int len = snprintf(text, sizeof text, "%-10d %-10d\n", getpid(), msqid);
	if (pwrite(fd, text, len, 0) != len)
		die("write %s: %s", path, strerror(errno));
}

/* Why the file is not one to lock, NULL if it is. */
static inline const char *not_ours(int fd)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return strerror(errno);
	if (!S_ISREG(st.st_mode))
		return "not a plain file";
	return st.st_uid == geteuid() ? NULL : "another user's file";
}

/* Whether path is still the file's name. */
static inline bool named(const char *path, int fd)
{
	struct stat a, b;
	return lstat(path, &a) == 0 && fstat(fd, &b) == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

/* Takes the key's lock. Returns the file; last is who left it behind. */
static inline int take_lock(key_t key, struct owner *last)
{
	char path[LOCK_PATH_SIZE];
	lock_path(path, key);
	for (int attempt = 0; attempt < 10; attempt++) {
		int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0)
			die("open %s: %s", path, strerror(errno));
		const char *why = not_ours(fd);
		if (why)
			die("%s: %s", path, why);
		struct flock whole = {.l_type = F_WRLCK};
		*last = read_owner(fd);
		if (fcntl(fd, F_OFD_SETLK, &whole) != 0) {
			if (errno == EAGAIN || errno == EACCES)
				die("key 0x%08x: a server is already running (process %d)", key, last->pid);
			die("lock %s: %s", path, strerror(errno));
		}
		if (named(path, fd)) { /* and not just removed by its last owner */
			fchmod(fd, 0600); /* whatever the umask */
			return fd;
		}
		close(fd);
	}
	die("%s: keeps being replaced", path);
}

static inline void release_lock(key_t key, int fd)
{
	char path[LOCK_PATH_SIZE];
	if (named(lock_path(path, key), fd))
		unlink(path);
	close(fd);
}

/* Whether the key had a server of which it is known that it is dead. Takes no lock. */
static inline bool server_is_dead(key_t key, struct owner *last)
{
	char path[LOCK_PATH_SIZE];
	int fd = open(lock_path(path, key), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return false;
	struct flock whole = {.l_type = F_RDLCK};
	bool dead = !not_ours(fd) && fcntl(fd, F_OFD_GETLK, &whole) == 0 && whole.l_type == F_UNLCK;
	*last = read_owner(fd);
	close(fd);
	return dead;
}

#endif
