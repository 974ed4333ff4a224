/*
 * Marks of named objects, as package marks has them: a file in the temporary folder that
 * tells of an object and is locked by those who use it.
 */
#ifndef MARK_H
#define MARK_H

#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "../../cli/ref/cli.h"

struct mark {
	int fd;
	char path[PATH_MAX], name[PATH_MAX]; /* of the mark; of the object */
};

/* FNV-1a of 64 bits. */
static inline uint64_t mark_hash(const char *name)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
	return hash;
}

/* A path's one true name; for what is no path, the name. */
static inline void mark_name(struct mark *m, const char *kind, const char *name)
{
	const char *base = strrchr(name, '/');
	char dir[PATH_MAX] = ".", real[PATH_MAX];
	bool path = !strcmp(kind, "fifo") || !strcmp(kind, "socket");

	base = base ? base + 1 : name;
	if (strlen(name) >= PATH_MAX)
		die("%.100s…: %s", name, strerror(ENAMETOOLONG));
	if (base > name)
		snprintf(dir, sizeof(dir), "%.*s", (int)(base - name), name);
	if (path && !realpath(dir, real))
		die("%s: %s", name, strerror(errno));
	if (!path)
		strcpy(m->name, name);
	else if (snprintf(m->name, sizeof(m->name), "%s/%s", strcmp(real, "/") ? real : "", base) >= PATH_MAX)
		die("%s: %s", name, strerror(ENAMETOOLONG));
}

static inline bool mark_named(const struct mark *m)
{
	struct stat there, own;

	return !lstat(m->path, &there) && !fstat(m->fd, &own) && there.st_ino == own.st_ino && there.st_dev == own.st_dev;
}

/* Opens the mark of an object and locks it; false if it is not to be made and not there. It
 * may be one that another process is just removing, so its name is looked at again. */
static inline bool mark_lock(struct mark *m, const char *scope, const char *kind, const char *name, int flags, short type, int command)
{
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET};
	const char *folder = getenv("TMPDIR");
	struct stat st;

	mark_name(m, kind, name);
	if (snprintf(m->path, sizeof(m->path), "%s/unpipc-mark-%u-%s-%s-%016llx", folder && *folder ? folder : "/tmp",
		    geteuid(), scope, kind, (unsigned long long)mark_hash(m->name)) >= PATH_MAX)
		die("TMPDIR: %s", strerror(ENAMETOOLONG));
	for (;;) {
		m->fd = open(m->path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | flags, 0600);
		if (m->fd == -1 && errno == ENOENT && !(flags & O_CREAT))
			return false;
		if (m->fd == -1)
			die("open %s: %s", m->path, strerror(errno));
		if (fstat(m->fd, &st) || !S_ISREG(st.st_mode) || st.st_uid != geteuid())
			die("open %s: not a file of this user's", m->path); /* what stands in it is believed */
		if (fcntl(m->fd, command, &lock)) {
			if (errno == EAGAIN || errno == EACCES)
				die("%s: another process has it", name);
			die("lock %s: %s", m->path, strerror(errno));
		}
		if (mark_named(m))
			return true;
		close(m->fd);
	}
}

/* Notes which object it is, by the identifier or the inode number. */
static inline void record(const struct mark *m, uint64_t id)
{
	char text[PATH_MAX + 32];
	int len = snprintf(text, sizeof(text), "%llu %s\n", (unsigned long long)id, m->name);

	if (pwrite(m->fd, text, len, 0) != len || ftruncate(m->fd, len))
		die("write %s: %s", m->path, strerror(errno));
}

static inline void record_file(const struct mark *m, const char *path)
{
	struct stat st;

	if (lstat(path, &st))
		die("lstat %s: %s", path, strerror(errno));
	record(m, st.st_ino);
}

/* An object that is about to be made is this process's alone. */
static inline void claim(struct mark *m, const char *scope, const char *kind, const char *name)
{
	mark_lock(m, scope, kind, name, O_CREAT, F_WRLCK, F_OFD_SETLK);
}

/*
 * An object that is there is used by this process. What this process has not made, it marks
 * only if whoever has made it did: else it is no object of ours. Nobody has the mark for
 * writing but for a moment, to remove what was left.
 */
static inline void share(struct mark *m, const char *scope, const char *kind, const char *name, int id, bool made)
{
	bool there = mark_lock(m, scope, kind, name, made ? O_CREAT : 0, F_RDLCK, F_OFD_SETLKW);
	char text[32] = "";

	if (made) {
		record(m, id);
	} else if (!there || pread(m->fd, text, sizeof(text) - 1, 0) < 0 || !isdigit((unsigned char)*text) ||
		   strtoull(text, NULL, 10) != (unsigned)id) {
		if (there)
			close(m->fd); /* of an earlier object */
		*m->path = '\0';
	}
}

/* When the object is gone, or was never there; in a signal handler too. */
static inline void unmark(const struct mark *m)
{
	if (*m->path)
		unlink(m->path);
}

#endif
