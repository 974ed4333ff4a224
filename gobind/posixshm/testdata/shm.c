/*
 * shm - POSIX shared memory calls in plain C, one an argument, one line of result each:
 * 0 or what the call gave, else "errno N". "hold" waits for the end of stdin. The judge
 * of the binding's tests.
 *
 *	shm "open /name wc 600" "allocate 100" "map 100" "write 3 68656c6c6f" hold "read 0 10"
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int fd = -1;
static unsigned char *memory;

static void result(long r)
{
	if (r < 0)
		printf("errno %d\n", errno);
	else
		printf("%ld\n", r);
}

static void do_open(const char *name, const char *letters, unsigned mode)
{
	int got = shm_open(name, (strchr(letters, 'w') ? O_RDWR : O_RDONLY) | (strchr(letters, 'c') ? O_CREAT : 0) |
		(strchr(letters, 'x') ? O_EXCL : 0) | (strchr(letters, 't') ? O_TRUNC : 0), mode);

	if (got != -1)
		fd = got;
	result(got == -1 ? -1 : 0);
}

static void map(size_t bytes, int write)
{
	void *got = mmap(NULL, bytes, PROT_READ | (write ? PROT_WRITE : 0), MAP_SHARED, fd, 0);

	if (got != MAP_FAILED)
		memory = got;
	result(got == MAP_FAILED ? -1 : 0);
}

static void do_write(size_t at, const char *hex)
{
	for (; hex[0] && hex[1]; hex += 2)
		sscanf(hex, "%2hhx", &memory[at++]);
	result(0);
}

static void do_read(size_t at, size_t n)
{
	for (size_t i = 0; i < n; i++)
		printf("%02x", memory[at + i]);
	puts("");
}

static void do_stat(void)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		result(-1);
	else
		printf("mode %o, %ld bytes\n", st.st_mode & 0777, (long)st.st_size);
}

static void call(const char *c)
{
	char text[4096] = "", letters[16] = "";
	long a, b;
	unsigned mode;

	if (sscanf(c, "open %4095s %15s %o", text, letters, &mode) == 3)
		do_open(text, letters, mode);
	else if (sscanf(c, "fd %ld", &a) == 1)
		result((fd = (int)a) < 0);
	else if (sscanf(c, "truncate %ld", &a) == 1)
		result(ftruncate(fd, a));
	else if (sscanf(c, "allocate %ld", &a) == 1)
		result((errno = posix_fallocate(fd, 0, a)) == 0 ? 0 : -1);
	else if (sscanf(c, "map %ld %15s", &a, letters) == 2)
		map((size_t)a, *letters == 'w');
	else if (sscanf(c, "write %ld %4095s", &a, text) == 2)
		do_write((size_t)a, text);
	else if (sscanf(c, "read %ld %ld", &a, &b) == 2)
		do_read((size_t)a, (size_t)b);
	else if (strcmp(c, "stat") == 0)
		do_stat();
	else if (strcmp(c, "seals") == 0)
		result(fcntl(fd, F_GET_SEALS));
	else if (sscanf(c, "seal %ld", &a) == 1)
		result(fcntl(fd, F_ADD_SEALS, a));
	else if (sscanf(c, "unlink %4095s", text) == 1)
		result(shm_unlink(text));
	else if (strcmp(c, "hold") == 0)
		result(read(0, text, 1));
	else
		printf("no call: %s\n", c);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	alarm(60);
	for (int i = 1; i < argc; i++)
		call(argv[i]);
	return 0;
}
