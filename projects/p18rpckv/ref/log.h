/*
 * The log: every write that was carried out, in its order. A record is on the disk before its
 * write is done and answered, so a server that is killed has lost nothing that it has said.
 *
 *	file:   signature, record, record, ...
 *	record: size of the body | CRC-32C of revision and body | revision | body (big-endian)
 *	body:   kind and call, as XDR has them
 */
#ifndef LOG_H
#define LOG_H

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crc.h"
#include "store.h"

enum { HEAD = 16, LONGEST = 2 * KV_MAX_VALUE + KV_MAX_KEY + 100 };

static const char signature[] = "unpipc kv log 1\n";
static const char *log_path;
static int log_fd;
static off_t log_end;

static inline bool code(XDR *x, struct command *c)
{
	u_int kind = c->kind;

	if (!xdr_u_int(x, &kind) || kind < PUT || kind > SWAP)
		return false;
	c->kind = (int)kind;
	return xdr_kv_cas_args(x, &c->args);
}

/* A disk that fails ends the server: nobody knows then what is on it. */
static _Noreturn void log_failed(const char *call)
{
	die("%s %s: %s", call, log_path, strerror(errno));
}

static inline void write_all(const void *bytes, size_t size)
{
	for (const char *b = bytes; size > 0;) {
		ssize_t n = pwrite(log_fd, b, size, log_end);

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			log_failed("write");
		b += n;
		size -= (size_t)n;
		log_end += n;
	}
	if (fdatasync(log_fd) == -1)
		log_failed("fdatasync");
}

static inline uint32_t record_sum(const uint32_t *head, size_t size)
{
	return crc32c(0, head + 2, 8 + size);
}

/* Appends the write that is to have the next revision. */
static inline void append(struct command *c)
{
	static uint32_t record[(HEAD + LONGEST) / 4 + 1];
	XDR x;

	xdrmem_create(&x, (char *)record + HEAD, LONGEST, XDR_ENCODE);
	if (!code(&x, c))
		die("%s: a write that has no room in a record", log_path);
	record[0] = htonl(xdr_getpos(&x));
	record[2] = htonl((uint32_t)((revision + 1) >> 32));
	record[3] = htonl((uint32_t)(revision + 1));
	record[1] = htonl(record_sum(record, xdr_getpos(&x)));
	write_all(record, HEAD + xdr_getpos(&x));
}

/* The size of the record that begins there, 0 if none does. */
static inline size_t record_at(const char *at, size_t left, uint64_t *number)
{
	static uint32_t copy[(HEAD + LONGEST) / 4 + 1];
	size_t size;

	if (left < HEAD)
		return 0;
	memcpy(copy, at, HEAD);
	size = ntohl(copy[0]);
	if (size > LONGEST || size > left - HEAD)
		return 0;
	memcpy(copy + HEAD / 4, at + HEAD, size);
	if (ntohl(copy[1]) != record_sum(copy, size))
		return 0;
	*number = (uint64_t)ntohl(copy[2]) << 32 | ntohl(copy[3]);
	return HEAD + size;
}

/*
 * Behind the last whole record there may be a piece of one, whose write was never answered.
 * Only one can be under way: if there is more, or another record, then it is damage.
 */
static inline void judge_tail(const char *at, size_t left)
{
	uint64_t number;

	if (left > HEAD + LONGEST)
		die("%s: damaged at byte %jd, with %zu more behind it; nothing was changed", log_path, (intmax_t)log_end, left);
	for (size_t i = 1; i < left; i++)
		if (record_at(at + i, left - i, &number) && number > revision)
			die("%s: damaged at byte %jd, before write %ju; nothing was changed", log_path, (intmax_t)log_end, (uintmax_t)number);
	fprintf(stderr, "%s: %s: cut a write that was not complete, %zu bytes\n", program_invocation_short_name, log_path, left);
	if (ftruncate(log_fd, log_end) == -1 || fsync(log_fd) == -1)
		log_failed("truncate");
}

static inline void replay(const char *bytes, size_t size)
{
	uint64_t number;
	size_t n;

	if (size < sizeof(signature) - 1 || memcmp(bytes, signature, sizeof(signature) - 1) != 0)
		die("%s: not a log of this server", log_path);
	for (log_end = sizeof(signature) - 1; (n = record_at(bytes + log_end, size - (size_t)log_end, &number)); log_end += (off_t)n) {
		struct command c = { 0 };
		XDR x;

		xdrmem_create(&x, (char *)(uintptr_t)bytes + log_end + HEAD, (u_int)n - HEAD, XDR_DECODE);
		if (number != revision + 1 || !code(&x, &c))
			die("%s: damaged at byte %jd; nothing was changed", log_path, (intmax_t)log_end);
		apply(&c);
		xdr_free((xdrproc_t)(void *)xdr_kv_cas_args, &c.args);
	}
	if (size > (size_t)log_end)
		judge_tail(bytes + log_end, size - (size_t)log_end);
}

static inline void sync_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd == -1 || fsync(fd) == -1)
		die("sync %s: %s", folder, strerror(errno));
	close(fd);
}

/* Makes the folders of a path that are not there. */
static inline void make_folder(char *path)
{
	for (char *slash = path; slash; *slash = '/') {
		if ((slash = strchr(slash + 1, '/')))
			*slash = '\0';
		if (mkdir(path, 0700) == -1 && errno != EEXIST)
			die("mkdir %s: %s", path, strerror(errno));
		if (!slash)
			break;
	}
}

/* Opens the log in a folder, and does what it says. */
static inline void open_log(char *folder)
{
	static char path[4096];
	struct stat st;
	char *bytes;

	make_folder(folder);
	if ((size_t)snprintf(path, sizeof(path), "%s/kv.log", folder) >= sizeof(path))
		die("--data: too long");
	log_path = path;
	make_rows();
	if ((log_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600)) == -1)
		log_failed("open");
	if (flock(log_fd, LOCK_EX | LOCK_NB) == -1)
		die("%s: another server uses it", path);
	if (fstat(log_fd, &st) == -1)
		log_failed("stat");
	if (st.st_size < (off_t)sizeof(signature) - 1) { /* new, or its server was killed just then */
		write_all(signature, sizeof(signature) - 1);
		sync_folder(folder);
		return;
	}
	bytes = need(malloc((size_t)st.st_size));
	for (off_t at = 0; at < st.st_size;) {
		ssize_t n = pread(log_fd, bytes + at, (size_t)(st.st_size - at), at);

		if (n <= 0)
			log_failed("read");
		at += n;
	}
	replay(bytes, (size_t)st.st_size);
	free(bytes);
}

#endif
