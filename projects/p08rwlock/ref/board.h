/*
 * board - a lock and what it guards, in memory that processes share. The layout and the
 * way to join are those of ../board.go and ../attach.go.
 */
#ifndef BOARD_H
#define BOARD_H

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "../../internal/cli/ref/cli.h"
#include "myrwlock.h"

struct board {
	struct myrwlock lock;
	uint64_t entered;   /* times that the lock was taken, by anybody */
	uint64_t writes;    /* times that the cells were written */
	uint32_t inside[2]; /* who hold the lock, by kind, as they say themselves */
	uint8_t unused[40];
	uint64_t cell[32];
};

#define CELLS 32

/*
 * Bytes of the object's file that are locked, far behind its end. The kernel drops a
 * lock with the last descriptor, however its process ends.
 */
#define GATE_BYTE (INT64_MAX - 1) /* held for a moment, to make or to remove the lock */
#define LIFE_BYTE (INT64_MAX - 2) /* held for reading by all who use it */

static int board_fd = -1;
static const char *board_name; /* NULL: it is this program's own */

static inline void *map_shared(size_t bytes, int fd)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);

	if (memory == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	return memory;
}

/* Locks or unlocks one byte of the object; false: others have it. */
static inline bool lock_byte(short type, off_t start, bool wait)
{
	struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = 1};

	while (fcntl(board_fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &l) != 0) {
		if (errno == EAGAIN || errno == EACCES)
			return false;
		if (errno != EINTR)
			die("%s: fcntl: %s", board_name, strerror(errno));
	}
	return true;
}

static inline struct board *new_board(struct board *b, enum policy policy)
{
	int error;

	memset(b, 0, sizeof *b);
	error = myrwlock_init(&b->lock, policy, true);
	if (error)
		die("myrwlock_init: %s", strerror(error));
	return b;
}

/* Opens the object and goes through the gate; the object has its name still. */
static inline struct stat pass_gate(void)
{
	struct stat st;

	for (;; close(board_fd)) {
		board_fd = shm_open(board_name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (board_fd < 0)
			die("shm_open %s: %s", board_name, strerror(errno));
		lock_byte(F_WRLCK, GATE_BYTE, true);
		if (fstat(board_fd, &st) != 0)
			die("%s: fstat: %s", board_name, strerror(errno));
		if (st.st_nlink > 0)
			return st;
	}
}

/*
 * Makes the object of this name, or joins those who use it; what killed programs left is
 * made anew. policy is 0 for that of the others.
 */
static inline struct board *attach(const char *name, enum policy policy, bool *joined)
{
	static const char *const policies[] = {"", "reader", "writer", "fair"};
	struct board *b;
	struct stat st;
	uint32_t found = 0;
	int error;

	board_name = name;
	st = pass_gate();
	if (st.st_size != 0 && (st.st_size != sizeof *b || st.st_uid != geteuid() ||
				pread(board_fd, &found, sizeof found, 0) != sizeof found ||
				(found != MYRWLOCK_MAGIC && found != 0)))
		die("%s: is not a lock of test_myrwlock", name);
	*joined = !lock_byte(F_WRLCK, LIFE_BYTE, false);
	if (*joined && found != MYRWLOCK_MAGIC)
		die("%s: is not a lock of test_myrwlock", name);
	error = *joined ? 0 : posix_fallocate(board_fd, 0, sizeof *b);
	if (error) {
		shm_unlink(name);
		die("posix_fallocate %s: %s", name, strerror(error));
	}
	/* A lock for writing becomes one for reading without a gap. */
	lock_byte(F_RDLCK, LIFE_BYTE, false);
	b = map_shared(sizeof *b, board_fd);
	if (!*joined)
		new_board(b, policy ? policy : FAIR);
	else if (policy && policy != b->lock.policy)
		die("%s: its policy is %s, not %s", name, policies[b->lock.policy & 3], policies[policy]);
	lock_byte(F_UNLCK, GATE_BYTE, true);
	return b;
}

/* Stops using the object; the last one removes its name. */
static inline void leave(void)
{
	if (!board_name)
		return;
	lock_byte(F_WRLCK, GATE_BYTE, true);
	if (lock_byte(F_WRLCK, LIFE_BYTE, false) && shm_unlink(board_name) != 0)
		die("shm_unlink %s: %s", board_name, strerror(errno));
	close(board_fd);
}

static inline bool equal(const struct board *b, uint64_t value)
{
	for (int i = 0; i < CELLS; i++)
		if (b->cell[i] != value)
			return false;
	return true;
}

/* Reads or writes the cells; false if not all was as it must be. */
static inline bool access_cells(struct board *b, enum kind kind, void (*hold)(void))
{
	uint32_t me = __atomic_add_fetch(&b->inside[kind], 1, __ATOMIC_SEQ_CST);
	uint64_t first = b->cell[0];
	bool right = kind == READER || (me == 1 && __atomic_load_n(&b->inside[READER], __ATOMIC_SEQ_CST) == 0);

	right = right && equal(b, first);
	if (kind == WRITER) {
		/* Half of it is done before, half after: who looks in between sees it. */
		first++;
		for (int i = 0; i < CELLS / 2; i++)
			b->cell[i] = first;
		hold();
		for (int i = CELLS / 2; i < CELLS; i++)
			b->cell[i] = first;
		__atomic_add_fetch(&b->writes, 1, __ATOMIC_SEQ_CST);
	} else {
		hold();
	}
	right = right && equal(b, first);
	if (kind == READER && __atomic_load_n(&b->inside[WRITER], __ATOMIC_SEQ_CST) != 0)
		right = false;
	__atomic_sub_fetch(&b->inside[kind], 1, __ATOMIC_SEQ_CST);
	return right;
}
#endif
