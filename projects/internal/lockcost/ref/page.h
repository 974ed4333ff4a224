/* What the workers share: a page of memory, in which struct page of page.go is. */
#ifndef PAGE_H
#define PAGE_H

#include <linux/futex.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "../../cli/ref/cli.h"
#include "../../measure/ref/clock.h"
#include "../../measure/ref/place.h"

enum { MAX_WORKERS = 16, OBJECT_SIZE = 256 };

struct page {
	_Atomic uint32_t ready; /* workers */
	_Atomic uint32_t begin; /* 1: they are let go; they sleep on it */
	int32_t set;		/* identifier of the System V semaphores */
	int32_t workers;
	int32_t maker; /* process whose name the named semaphore has */
	_Atomic uint32_t awake; /* workers that have seen that they are let go */
	char gap1[40];

	int64_t counter;
	char gap2[56];

	int64_t woken[MAX_WORKERS];   /* ns, when each was */
	int64_t done[MAX_WORKERS];
	int64_t seen[2][MAX_WORKERS]; /* of each round of a barrier: who has come to it */

	_Alignas(64) char objects[1 + MAX_WORKERS][OBJECT_SIZE];
};

static struct page *page;
static int page_fd; /* its bytes are also those that record locks are about */
static bool processes;

/* For calls that return an error. */
static inline void must(int error, const char *call)
{
	if (__builtin_expect(error != 0, 0))
		die("%s: %s", call, strerror(error));
}

/* For calls that return -1 and set errno. */
static inline void may(int result, const char *call)
{
	if (__builtin_expect(result == -1, 0))
		die("%s: %s", call, strerror(errno));
}

static void make_page(void)
{
	page_fd = memfd_create("lockcost", MFD_CLOEXEC);
	may(page_fd, "memfd_create");
	must(posix_fallocate(page_fd, 0, sizeof(*page)), "posix_fallocate");
	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, page_fd, 0);
	if (page == MAP_FAILED)
		die("mmap: %s", strerror(errno));
}

/* Sleeps until the workers are let go, and lets others run until all have seen it. */
static void await_begin(int worker)
{
	while (!page->begin)
		syscall(SYS_futex, &page->begin, FUTEX_WAIT, 0, NULL, NULL, 0);
	page->woken[worker] = now_ns();
	page->awake++;
	while (page->awake < (uint32_t)page->workers)
		sched_yield();
}

static void let_go(void)
{
	page->begin = 1;
	syscall(SYS_futex, &page->begin, FUTEX_WAKE, MAX_WORKERS, NULL, NULL, 0);
}

#endif
