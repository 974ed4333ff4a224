/*
 * open.h - joining the others who use a store, or setting it up where there are none.
 */
#ifndef OPEN_H
#define OPEN_H

#include <limits.h>
#include <signal.h>
#include <time.h>
#include "rebuild.h"

/* What the session of this boot begins with. */
static void stamp(char b[64])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	memset(b, 0, 64);
	memcpy(b, "unpkvl01", 8);
	if (fd != -1) {
		if (read(fd, b + 8, 55) < 0)
			memset(b + 8, 0, 56);
		b[8 + strcspn(b + 8, "\n")] = '\0';
		close(fd);
	}
}

/* Set up since the machine was started. */
static bool stamped(void)
{
	char now[64];

	stamp(now);
	return !memcmp(st.s->stamp, now, 64);
}

static bool valid(void)
{
	return stamped() && !LOAD(&st.s->failed);
}

/* Whether the lock file has its length. */
static bool lock_file_ready(void)
{
	char first[8] = "";
	uint64_t size = file_size(st.lock_fd);
	ssize_t n = pread(st.lock_fd, first, 8, 0);

	if (n < 0)
		die("read %s: %s", st.lock_path, strerror(errno));
	if ((n < 8 || memcmp(first, "unpkvl01", 8)) && !is_zero((uint8_t *)first, (uint64_t)n))
		die("%s: not a store of kvstore: not its lock file", st.lock_path);
	return size == sizeof(struct session);
}

static void map_session(void)
{
	int prot = PROT_READ | (st.read_only ? 0 : PROT_WRITE);

	if (st.s)
		return;
	st.s = mmap(NULL, sizeof(struct session), prot, MAP_SHARED, st.lock_fd, 0);
	if (st.s == MAP_FAILED)
		die("mmap %s: %s", st.lock_path, strerror(errno));
}

/* This process is alone with the store. */
static void set_up(void)
{
	struct stat of;

	if (!lock_file_ready()) {
		uint8_t *zeros = allocate(sizeof(struct session));

		write_all(st.lock_fd, st.lock_path, zeros, sizeof(struct session), 0);
		free(zeros);
	}
	map_session();
	memset(st.s->stamp, 0, 64);
	STORE(&st.s->failed, 0);
	rebuild(true);
	if (stat(st.path, &of) == 0) { /* whoever may use the store may lock it */
		(void)!fchmod(st.lock_fd, of.st_mode & 0666);
		(void)!fchown(st.lock_fd, of.st_uid, of.st_gid);
	}
	stamp(st.s->stamp);
}

static void shorter(int signal)
{
	static const char text[] = "kvstore: damaged: the store became shorter while in use\n";

	(void)signal;
	(void)!write(2, text, sizeof(text) - 1);
	_exit(1);
}

static void open_store(const char *path, bool create)
{
	struct timespec pause = { 0, 1000000 };
	char real[PATH_MAX];
	struct stat link;

	signal(SIGBUS, shorter);
	signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error to be told of */
	/* Rewriting must not replace a symbolic link. */
	snprintf(st.path, sizeof(st.path), "%s", !lstat(path, &link) && S_ISLNK(link.st_mode) && realpath(path, real) ? real : path);
	snprintf(st.lock_path, sizeof(st.lock_path), "%s.lock", st.path);
	if (!open_file() && !create)
		die("open %s: %s", st.path, strerror(ENOENT));
	st.lock_fd = open(st.lock_path, (st.read_only ? O_RDONLY : O_RDWR | O_CREAT) | O_CLOEXEC, 0600);
	if (st.lock_fd == -1 && st.read_only)
		return;
	if (st.lock_fd == -1)
		die("open %s: %s", st.lock_path, strerror(errno));
	for (int try = 0; try < 60000; try++) {
		lock(F_RDLCK, PRESENCE, 1);
		if (lock_file_ready()) {
			map_session();
			if (valid() && join())
				return;
		}
		unlock(PRESENCE, 1);
		if (st.read_only) { /* nobody writes before it is set up */
			st.s = NULL;
			if (!open_file())
				die("open %s: %s", st.path, strerror(ENOENT));
			return;
		}
		if (lock_range(F_SETLK, F_WRLCK, PRESENCE, 1) == 0) {
			set_up();
			unlock(PRESENCE, 1);
			continue;
		}
		if (st.s && stamped() && try > 5000)
			break; /* those who only look leave sooner */
		nanosleep(&pause, NULL);
	}
	die("%s: it was replaced, or a flush failed, and others still use it", st.path);
}

#endif
