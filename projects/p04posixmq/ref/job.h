/* Jobs and their files: numbered, written, found again. */
#ifndef JOB_H
#define JOB_H

#include <dirent.h>
#include <inttypes.h>
#include <sys/file.h>

#include "place.h"

struct job {
	int64_t id, since; /* ns of the real-time clock */
	long priority;
	char *command; /* for /bin/sh -c; allocated */
};

/* Room for a folder and a number. */
typedef char job_name[40];

static char *name_of(job_name name, const char *folder, int64_t id)
{
	snprintf(name, sizeof(job_name), "%s/%" PRId64, folder, id);
	return name;
}

/*
 * Whether a is to run before b: by priority, then by number. With aging (ns), a job
 * gains one priority each time that much has passed. As all gain alike, what counts is
 * the priority less the time of queueing, and the order of two jobs never changes.
 */
static bool before(const struct job *a, const struct job *b, int64_t aging)
{
	int64_t x = a->priority, y = b->priority;
	if (aging) {
		x = x * aging - a->since;
		y = y * aging - b->since;
	}
	return x != y ? x > y : a->id < b->id;
}

/* Reads digits only: no sign, no zero before them but a lone one. -1 if it is none. */
static int64_t parse_id(const char *text, size_t len)
{
	int64_t id = 0;
	if (len == 0 || len > 19 || (len > 1 && text[0] == '0'))
		return -1;
	for (size_t i = 0; i < len; i++)
		if (text[i] < '0' || text[i] > '9' || __builtin_mul_overflow(id, 10, &id) ||
			__builtin_add_overflow(id, text[i] - '0', &id))
			return -1;
	return id;
}

/* Takes "NUMBER COMMAND" apart; -1 if it is no such thing. */
static int64_t parse_line(const char *text, size_t len, char **command)
{
	const char *blank = memchr(text, ' ', len);
	int64_t number = blank ? parse_id(text, blank - text) : -1;
	if (number < 0 || blank + 1 == text + len || memchr(blank, 0, text + len - blank))
		return -1;
	*command = strndup(blank + 1, text + len - blank - 1);
	return *command ? number : -1;
}

/* Reads a job; false, with errno, if it is not there (ENOENT) or damaged (EINVAL). */
static bool read_job(const char *folder, int64_t id, struct job *j)
{
	job_name name;
	struct stat st;
	int fd = openat(state, name_of(name, folder, id), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return false;
	*j = (struct job){.id = id, .priority = -1};
	char *text = fstat(fd, &st) == 0 ? malloc(st.st_size + 1) : NULL;
	if (text && read(fd, text, st.st_size) == st.st_size) {
		j->since = st.st_mtim.tv_sec * NANO + st.st_mtim.tv_nsec;
		int64_t priority = parse_line(text, st.st_size, &j->command);
		j->priority = priority <= MAX_PRIORITY ? priority : -1;
	}
	free(text);
	close(fd);
	if (j->priority >= 0)
		return true;
	free(j->command);
	errno = EINVAL;
	return false;
}

static int by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

/* The jobs in a folder, by number; the list is allocated. */
static size_t list_ids(const char *folder, int64_t **ids)
{
	int fd = openat(state, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	size_t n = 0, room = 0;
	*ids = NULL;
	if (!dir && errno == ENOENT)
		return 0; /* a directory that is just being made */
	if (!dir)
		die_of("open", folder);
	for (struct dirent *e; (e = readdir(dir));) {
		int64_t id = parse_id(e->d_name, strlen(e->d_name));
		if (id <= 0)
			continue;
		if (n == room && !(*ids = realloc(*ids, (room = 2 * room + 16) * sizeof **ids)))
			die("out of memory");
		(*ids)[n++] = id;
	}
	closedir(dir);
	if (n > 0)
		qsort(*ids, n, sizeof **ids, by_number);
	return n;
}

/* Keeps all others from getting a number until the descriptor is closed. */
static int lock_counter(void)
{
	int fd = open_file("counter", 0);
	while (flock(fd, LOCK_EX) != 0)
		if (errno != EINTR)
			die_of("flock", "counter");
	return fd;
}

/* The last number that was given. */
static int64_t last_number(void)
{
	char text[32];
	int fd = openat(state, "counter", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof text) : 0;
	if (fd >= 0)
		close(fd);
	if (n > 0 && text[n - 1] == '\n')
		n--;
	int64_t last = n > 0 ? parse_id(text, n) : 0;
	if (last < 0)
		die("%s/counter: no number", state_path);
	return last;
}

static job_name draft; /* the job being written */

static void remove_draft(void)
{
	if (*draft)
		unlinkat(state, draft, 0);
	*draft = '\0';
}

/* Writes a job that has no number yet. */
static void write_draft(long priority, const char *command)
{
	snprintf(draft, sizeof draft, "new/%d.0", getpid());
	int fd = open_file(draft, O_TRUNC);
	size_t len = strlen(command);
	if (dprintf(fd, "%ld ", priority) < 0 || write(fd, command, len) != (ssize_t)len || fsync(fd) != 0)
		die_of("write", draft);
	close(fd);
}

/* The number that the draft is going to get, from under the lock of the counter. */
static int64_t next_number(void)
{
	int64_t id = last_number() + 1;
	job_name name;
	/* The counter may have been lost: no job may be replaced. */
	while (faccessat(state, name_of(name, "jobs", id), F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		id++;
	return id;
}

/* Makes the draft a job, under the lock of the counter, and gives that up. */
static void publish(int counter, int64_t id)
{
	job_name name;
	char text[32];
	int len = snprintf(text, sizeof text, "%" PRId64 "\n", id);
	if (pwrite(counter, text, len, 0) != len)
		die_of("write", "counter");
	/* The time of queueing is to follow the numbers. */
	if (utimensat(state, draft, NULL, 0) != 0)
		die_of("utimensat", draft);
	if (linkat(state, draft, state, name_of(name, "jobs", id), 0) != 0)
		die_of("link", name);
	close(counter);
	remove_draft();
	/* So that the name outlives a failure of power. */
	int dir = openat(state, "jobs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || fsync(dir) != 0)
		die_of("fsync", "jobs");
	close(dir);
}

/* Escapes what would make a terminal do something; the result is allocated. */
static char *show(const char *text, size_t len)
{
	char *out = malloc(4 * len + 1), *to = out;
	if (!out)
		die("out of memory");
	for (size_t i = 0; i < len; i++) {
		unsigned char c = text[i];
		if (c < ' ' || c == 0x7f)
			to += sprintf(to, "\\x%02x", c);
		else
			*to++ = c;
	}
	*to = '\0';
	return out;
}

#endif
