/*
 * sem - System V semaphore calls in plain C, one an argument, one line of result each:
 * 0 or what the call gave, else "errno N". The judge of the binding's tests.
 *
 *	sem "get 0x1234 2 cx 600" "setall 1 0" "op 0:-1:u 1:+1:-" "getall"
 *
 * An operation is its semaphore, what it adds, and n for IPC_NOWAIT, u for SEM_UNDO.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/sem.h>
#include <time.h>
#include <unistd.h>

#define MOST 600

union semun {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
};

static int id = -1;

static void result(int r)
{
	if (r == -1)
		printf("errno %d\n", errno);
	else
		printf("%d\n", r);
}

static void get(long key, int n, const char *letters, unsigned mode)
{
	int got = semget((key_t)key, n, (int)mode | (strchr(letters, 'c') ? IPC_CREAT : 0) |
		(strchr(letters, 'x') ? IPC_EXCL : 0));

	if (got != -1)
		id = got;
	result(got == -1 ? -1 : 0);
}

static size_t parse(const char *text, struct sembuf *ops)
{
	size_t n = 0;
	int num, add, used;
	char letters[4];

	while (n < MOST && sscanf(text, " %d:%d:%3s%n", &num, &add, letters, &used) == 3) {
		ops[n].sem_num = (unsigned short)num;
		ops[n].sem_op = (short)add;
		ops[n].sem_flg = (short)((strchr(letters, 'n') ? IPC_NOWAIT : 0) | (strchr(letters, 'u') ? SEM_UNDO : 0));
		text += used;
		n++;
	}
	return n;
}

static void stat(void)
{
	struct semid_ds ds;

	if (semctl(id, 0, IPC_STAT, (union semun){.buf = &ds}) == -1)
		result(-1);
	else
		printf("mode %o, %lu semaphores, %s\n", ds.sem_perm.mode & 0777, (unsigned long)ds.sem_nsems,
			ds.sem_otime ? "used" : "new");
}

static void getall(void)
{
	static unsigned short values[1 << 16];
	struct semid_ds ds;

	if (semctl(id, 0, IPC_STAT, (union semun){.buf = &ds}) == -1 ||
		semctl(id, 0, GETALL, (union semun){.array = values}) == -1) {
		result(-1);
		return;
	}
	for (unsigned long i = 0; i < ds.sem_nsems; i++)
		printf("%s%d", i ? " " : "", values[i]);
	putchar('\n');
}

static void setall(char *text)
{
	unsigned short values[MOST];
	size_t n = 0;

	for (char *word = strtok(text, " "); word && n < MOST; word = strtok(NULL, " "))
		values[n++] = (unsigned short)strtol(word, NULL, 10);
	result(semctl(id, 0, SETALL, (union semun){.array = values}));
}

static void set(unsigned mode)
{
	struct semid_ds ds;

	if (semctl(id, 0, IPC_STAT, (union semun){.buf = &ds}) != -1) {
		ds.sem_perm.mode = (unsigned short)mode;
		result(semctl(id, 0, IPC_SET, (union semun){.buf = &ds}));
	} else {
		result(-1);
	}
}

static int op(int num, int add, int flags)
{
	struct sembuf one = {.sem_num = (unsigned short)num, .sem_op = (short)add, .sem_flg = (short)flags};

	return semop(id, &one, 1);
}

/* Waits at semaphore 0 and gives at 1, so many times. */
static int turns(long count)
{
	for (; count > 0; count--)
		if (op(0, -1, 0) != 0 || op(1, 1, 0) != 0)
			return -1;
	return 0;
}

/* Adds to the number in shared memory, with semaphore 0 as its lock. */
static int add(const char *name, long count)
{
	int fd = shm_open(name, O_RDWR, 0);
	volatile long *number = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (number == MAP_FAILED)
		return -1;
	for (; count > 0; count--) {
		if (op(0, -1, count % 2 ? SEM_UNDO : 0) != 0)
			return -1;
		*number = *number + 1;
		if (op(0, 1, count % 2 ? SEM_UNDO : 0) != 0)
			return -1;
	}
	return 0;
}

static void call(char *c)
{
	static struct sembuf ops[MOST];
	char name[256], letters[16];
	struct timespec limit;
	unsigned mode;
	long a, b;
	int used = 0;

	if (sscanf(c, "get %li %ld %15s %o", &a, &b, letters, &mode) == 4) {
		get(a, (int)b, letters, mode);
	} else if (sscanf(c, "id %ld", &a) == 1) {
		id = (int)a;
		result(0);
	} else if (strncmp(c, "op", 2) == 0) {
		result(semop(id, ops, parse(c + 2, ops)));
	} else if (sscanf(c, "timedop %ld%n", &a, &used) == 1) {
		limit = (struct timespec){.tv_sec = a / 1000000000, .tv_nsec = a % 1000000000};
		result(semtimedop(id, ops, parse(c + used, ops), &limit));
	} else if (sscanf(c, "getval %ld", &a) == 1) {
		result(semctl(id, (int)a, GETVAL));
	} else if (sscanf(c, "setval %ld %ld", &a, &b) == 2) {
		result(semctl(id, (int)a, SETVAL, (union semun){.val = (int)b}));
	} else if (strcmp(c, "getall") == 0) {
		getall();
	} else if (strncmp(c, "setall", 6) == 0) {
		setall(c + 6);
	} else if (sscanf(c, "ncnt %ld", &a) == 1) {
		result(semctl(id, (int)a, GETNCNT));
	} else if (sscanf(c, "zcnt %ld", &a) == 1) {
		result(semctl(id, (int)a, GETZCNT));
	} else if (sscanf(c, "mine %ld", &a) == 1) {
		puts(semctl(id, (int)a, GETPID) == getpid() ? "mine" : "not mine");
	} else if (strcmp(c, "stat") == 0) {
		stat();
	} else if (sscanf(c, "set %o", &mode) == 1) {
		set(mode);
	} else if (strcmp(c, "remove") == 0) {
		result(semctl(id, 0, IPC_RMID));
	} else if (sscanf(c, "turns %ld", &a) == 1) {
		result(turns(a));
	} else if (sscanf(c, "add %255s %ld", name, &a) == 2) {
		result(add(name, a));
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
