/*
 * sem - POSIX semaphore calls in plain C, one an argument, one line of result each:
 * 0 or what the call gave, else "errno N". The judge of the binding's tests.
 *
 *	sem "open /name cx 640 3" "wait" "value" "unlink /name"
 *	sem "map /memory" "at 0" "turns 1000"
 */
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static sem_t *sem, *other;
static char *memory;

static void result(int r)
{
	if (r == -1)
		printf("errno %d\n", errno);
	else
		printf("%d\n", r);
}

static int flags(const char *letters)
{
	return (strchr(letters, 'c') ? O_CREAT : 0) | (strchr(letters, 'x') ? O_EXCL : 0);
}

static void do_open(const char *name, const char *letters, unsigned mode, unsigned value)
{
	sem_t *s = sem_open(name, flags(letters), mode, value);

	if (s != SEM_FAILED)
		sem = s;
	result(s == SEM_FAILED ? -1 : 0);
}

static void map(const char *name)
{
	int fd = shm_open(name, O_RDWR, 0);

	memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	result(memory == MAP_FAILED ? -1 : 0);
	close(fd);
}

static struct timespec after(clockid_t clock, long ns)
{
	struct timespec end;

	clock_gettime(clock, &end);
	end.tv_sec += ns / 1000000000;
	end.tv_nsec += ns % 1000000000;
	if (end.tv_nsec >= 1000000000) {
		end.tv_sec++;
		end.tv_nsec -= 1000000000;
	}
	return end;
}

/* Waits at the first semaphore, posts the second, so many times. */
static int turns(long count)
{
	for (; count > 0; count--)
		if (sem_wait(sem) != 0 || sem_post(other) != 0)
			return -1;
	return 0;
}

/* Adds to the number at offset 1024, with the semaphore as its lock. */
static int add(long count)
{
	volatile long *number = (long *)(memory + 1024);

	for (; count > 0; count--) {
		if (sem_wait(sem) != 0)
			return -1;
		*number = *number + 1;
		if (sem_post(sem) != 0)
			return -1;
	}
	return 0;
}

static void call(const char *c)
{
	char name[256], letters[16];
	struct timespec end;
	unsigned mode, value;
	long n;
	int v;

	if (sscanf(c, "open %255s %15s %o %u", name, letters, &mode, &value) == 4) {
		do_open(name, letters, mode, value);
	} else if (sscanf(c, "map %255s", name) == 1) {
		map(name);
	} else if (sscanf(c, "at %ld", &n) == 1) {
		other = sem;
		sem = (sem_t *)(memory + n);
		result(0);
	} else if (sscanf(c, "init %u", &value) == 1) {
		result(sem_init(sem, 1, value));
	} else if (strcmp(c, "wait") == 0) {
		result(sem_wait(sem));
	} else if (strcmp(c, "trywait") == 0) {
		result(sem_trywait(sem));
	} else if (sscanf(c, "timedwait %ld", &n) == 1) {
		end = after(CLOCK_REALTIME, n);
		result(sem_timedwait(sem, &end));
	} else if (sscanf(c, "clockwait %ld", &n) == 1) {
		end = after(CLOCK_MONOTONIC, n);
		result(sem_clockwait(sem, CLOCK_MONOTONIC, &end));
	} else if (strcmp(c, "post") == 0) {
		result(sem_post(sem));
	} else if (strcmp(c, "value") == 0) {
		result(sem_getvalue(sem, &v) == 0 ? v : -1);
	} else if (strcmp(c, "close") == 0) {
		result(sem_close(sem));
	} else if (sscanf(c, "unlink %255s", name) == 1) {
		result(sem_unlink(name));
	} else if (sscanf(c, "turns %ld", &n) == 1) {
		result(turns(n));
	} else if (sscanf(c, "add %ld", &n) == 1) {
		result(add(n));
	} else if (strcmp(c, "stay") == 0) {
		pause();
	} else {
		printf("no call: %s\n", c);
	}
	fflush(stdout);
}

int main(int argc, char **argv)
{
	alarm(100);
	for (int i = 1; i < argc; i++)
		call(argv[i]);
	return 0;
}
