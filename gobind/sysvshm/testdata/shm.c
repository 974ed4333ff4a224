/*
 * shm - System V shared memory calls in plain C, one an argument, one line of result
 * each: 0 or what the call gave, else "errno N". "hold" waits for the end of stdin, so
 * that what was attached stays so. The judge of the binding's tests.
 *
 *	shm "get 0x1234 100 cx 600" "attach 0 -" "write 3 68656c6c6f" hold "read 0 10"
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <unistd.h>

static int id = -1;
static unsigned char *memory;

static void result(long r)
{
	if (r < 0)
		printf("errno %d\n", errno);
	else
		printf("%ld\n", r);
}

static void get(long key, unsigned long bytes, const char *letters, unsigned mode)
{
	int got = shmget((key_t)key, bytes, (int)mode | (strchr(letters, 'c') ? IPC_CREAT : 0) |
		(strchr(letters, 'x') ? IPC_EXCL : 0));

	if (got != -1)
		id = got;
	result(got == -1 ? -1 : 0);
}

static void attach(unsigned long address, const char *letters)
{
	void *got = shmat(id, (void *)address, (strchr(letters, 'r') ? SHM_RDONLY : 0) |
		(strchr(letters, 'd') ? SHM_RND : 0));

	if (got == (void *)-1) {
		result(-1);
		return;
	}
	memory = got;
	if (address != 0)
		printf("%p\n", got);
	else
		result(0);
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

static void stat(void)
{
	struct shmid_ds ds;

	if (shmctl(id, IPC_STAT, &ds) == -1)
		result(-1);
	else
		printf("mode %o, %lu bytes, %lu attached%s%s\n", ds.shm_perm.mode & 0777, (unsigned long)ds.shm_segsz,
			(unsigned long)ds.shm_nattch, ds.shm_perm.mode & SHM_DEST ? ", dest" : "",
			ds.shm_perm.mode & SHM_LOCKED ? ", locked" : "");
}

static void set(unsigned mode)
{
	struct shmid_ds ds;

	if (shmctl(id, IPC_STAT, &ds) == -1) {
		result(-1);
		return;
	}
	ds.shm_perm.mode = (unsigned short)mode;
	result(shmctl(id, IPC_SET, &ds));
}

static void call(const char *c)
{
	char text[4096] = "", letters[16] = "";
	long a, b;
	unsigned mode;

	if (sscanf(c, "get %li %ld %15s %o", &a, &b, letters, &mode) == 4)
		get(a, (unsigned long)b, letters, mode);
	else if (sscanf(c, "id %ld", &a) == 1)
		result((id = (int)a) < 0);
	else if (sscanf(c, "attach %li %15s", &a, letters) == 2)
		attach((unsigned long)a, letters);
	else if (sscanf(c, "write %ld %4095s", &a, text) == 2)
		do_write((size_t)a, text);
	else if (sscanf(c, "read %ld %ld", &a, &b) == 2)
		do_read((size_t)a, (size_t)b);
	else if (strcmp(c, "stat") == 0)
		stat();
	else if (sscanf(c, "set %o", &mode) == 1)
		set(mode);
	else if (strcmp(c, "lock") == 0)
		result(shmctl(id, SHM_LOCK, NULL));
	else if (strcmp(c, "detach") == 0)
		result(shmdt(memory));
	else if (strcmp(c, "remove") == 0)
		result(shmctl(id, IPC_RMID, NULL));
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
