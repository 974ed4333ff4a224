/*
 * mem_sort - sort the numbers of files, each in a process, and get them through shared memory.
 *
 *	mem_sort a.txt b.txt c.txt d.txt
 */
#include <sched.h>
#include <sys/mman.h>

#include "../../../internal/integers/ref/workers.h"

#define MEM_SIZE 65536
#define IS_READABLE 0
#define IS_WRITABLE 1
#define MEM_META_SIZE 2

/* Spins until the flag is set; now and then it asks whether the other side is still there. */
static int await(struct worker *w, int flag)
{
	volatile char *mine = &w->mem[flag];

	for (unsigned spins = 1; !__atomic_load_n(mine, __ATOMIC_ACQUIRE); spins++) {
		siginfo_t ended = { 0 };

		if (spins % 1024)
			continue;
		sched_yield();
		if (w->pid == 0) { /* the worker */
			if (getppid() != parent_pid)
				die("the parent has ended");
			continue;
		}
		waitid(P_PID, w->pid, &ended, WEXITED | WNOHANG | WNOWAIT);
		if (ended.si_pid && !__atomic_load_n(mine, __ATOMIC_ACQUIRE))
			return 0;
	}
	return 1;
}

/* Makes it the other side's turn. */
static void pass(struct worker *w, int mine, int theirs)
{
	volatile char *flags = w->mem;

	__atomic_store_n(&flags[mine], 0, __ATOMIC_RELEASE);
	__atomic_store_n(&flags[theirs], 1, __ATOMIC_RELEASE);
}

static void write_to_shared_mem(struct worker *w, const void *from, size_t size)
{
	const char *src = from;

	do {
		size_t to_copy = size < MEM_SIZE - MEM_META_SIZE ? size : MEM_SIZE - MEM_META_SIZE;

		await(w, IS_WRITABLE);
		memcpy(w->mem + MEM_META_SIZE, src, to_copy);
		src += to_copy;
		size -= to_copy;
		pass(w, IS_WRITABLE, IS_READABLE);
	} while (size > 0);
}

/* 0 if the worker has ended before. */
static int read_from_shared_mem(struct worker *w, void *to, size_t size)
{
	char *dst = to;

	do {
		size_t to_copy = size < MEM_SIZE - MEM_META_SIZE ? size : MEM_SIZE - MEM_META_SIZE;

		if (!await(w, IS_READABLE))
			return 0;
		memcpy(dst, w->mem + MEM_META_SIZE, to_copy);
		dst += to_copy;
		size -= to_copy;
		pass(w, IS_READABLE, IS_WRITABLE);
	} while (size > 0);
	return 1;
}

static void sorter(struct worker *w)
{
	sort_and_send(w, write_to_shared_mem);
}

static void start(struct worker *w)
{
	int fd = -1;

	if (workers_program) { /* which is not forked from us: it inherits a descriptor */
		fd = memfd_create("mem_sort", MFD_CLOEXEC);
		if (fd == -1 || ftruncate(fd, MEM_SIZE))
			die("memfd_create: %s", strerror(errno));
	}
	w->mem = mmap(NULL, MEM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | (fd == -1 ? MAP_ANONYMOUS : 0), fd, 0);
	if (w->mem == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	w->mem[IS_READABLE] = 0;
	w->mem[IS_WRITABLE] = 1;
	start_worker(w, fd, sorter);
	if (fd != -1)
		close(fd);
}

int main(int argc, char **argv)
{
	uint64_t start_ns = now_ns();

	parse(argc, argv, "Starts a process for each file, which reads its integers, sorts them and sends them\n"
			  "through 64 KB of shared memory, first how many. Prints how long that took.", 1);
	if (worker_id >= 0) {
		struct worker w = { .id = worker_id, .file = argv[optind] };

		stay_with(parent_pid);
		w.mem = mmap(NULL, MEM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, LINK_FD, 0);
		if (w.mem == MAP_FAILED)
			die("mmap: %s", strerror(errno));
		sorter(&w);
		return finish();
	}
	parent_pid = getpid();
	return sort_by_workers(argv + optind, argc - optind, start_ns, start, read_from_shared_mem);
}
