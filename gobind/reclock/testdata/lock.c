/*
 * lock - record locks in plain C, one command a line of standard input, one line of
 * result each: 0 or what the call gave, else "errno N". The judge of the binding's tests.
 *
 *	open PATH           → the descriptor
 *	close FD
 *	try|wait|get|otry|owait|oget FD r|w|u WHENCE START LENGTH
 *	                    get: "u", or "r|w WHENCE START LENGTH PID"
 *	seek FD OFFSET
 *	child COMMAND…      the command in a forked child
 *	exec                this program again, in this process
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void result(long r)
{
	if (r < 0)
		printf("errno %d\n", errno);
	else
		printf("%ld\n", r);
}

static int command(const char *name)
{
	static const struct {
		const char *name;
		int command;
	} all[] = {
		{ "try", F_SETLK }, { "wait", F_SETLKW }, { "get", F_GETLK },
		{ "otry", F_OFD_SETLK }, { "owait", F_OFD_SETLKW }, { "oget", F_OFD_GETLK },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (!strcmp(name, all[i].name))
			return all[i].command;
	return -1;
}

static void lock(int how, const char *arguments)
{
	struct flock l = { 0 };
	long start, length;
	int fd, whence;
	char kind;

	if (sscanf(arguments, "%d %c %d %ld %ld", &fd, &kind, &whence, &start, &length) != 5) {
		puts("usage");
		return;
	}
	l.l_type = kind == 'r' ? F_RDLCK : kind == 'w' ? F_WRLCK : F_UNLCK;
	l.l_whence = (short)whence;
	l.l_start = start;
	l.l_len = length;
	if (fcntl(fd, how, &l) == -1)
		result(-1);
	else if (how != F_GETLK && how != F_OFD_GETLK)
		result(0);
	else if (l.l_type == F_UNLCK)
		puts("u");
	else
		printf("%c %d %ld %ld %d\n", l.l_type == F_RDLCK ? 'r' : 'w', l.l_whence, (long)l.l_start,
			(long)l.l_len, (int)l.l_pid);
}

static void run(char *line)
{
	char *rest = line + strcspn(line, " ");
	int fd;
	long offset;

	if (*rest)
		*rest++ = '\0';
	if (command(line) != -1) {
		lock(command(line), rest);
	} else if (!strcmp(line, "open")) {
		result(open(rest, O_RDWR | O_CREAT, 0600));
	} else if (!strcmp(line, "close")) {
		result(close(atoi(rest)));
	} else if (!strcmp(line, "seek") && sscanf(rest, "%d %ld", &fd, &offset) == 2) {
		result(lseek(fd, offset, SEEK_SET));
	} else if (!strcmp(line, "child")) {
		pid_t child = fork();

		if (child == 0) {
			run(rest);
			fflush(stdout);
			_exit(0);
		}
		waitpid(child, NULL, 0);
	} else if (!strcmp(line, "exec")) {
		execl("/proc/self/exe", "lock", "exec", (char *)NULL);
		result(-1);
	} else {
		puts("usage");
	}
}

int main(int argc, char **argv)
{
	char line[4096];

	setvbuf(stdout, NULL, _IOLBF, 0);
	setvbuf(stdin, NULL, _IONBF, 0); /* exec must not lose what was read ahead */
	if (argc > 1)
		puts(argv[1]);
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		run(line);
	}
	return 0;
}
