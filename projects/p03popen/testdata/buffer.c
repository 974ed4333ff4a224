/*
 * What pclose makes of data that is still in the stream's buffer, and of a descriptor
 * that was closed behind its back; ours beside libc's.
 */
#include "mypopen.h"

#include <signal.h>
#include <string.h>

/* Leaves a byte in the buffer until the command has ended. */
static void unwritten(const char *name, FILE *(*open)(const char *, const char *),
	int (*close)(FILE *), const char *command)
{
	siginfo_t ended;
	FILE *f = open(command, "w");

	fputs("x", f);
	waitid(P_ALL, 0, &ended, WEXITED | WNOWAIT);
	int status = close(f);
	printf("%s %s: %d %s\n", name, command, status, status == -1 ? strerror(errno) : "-");
}

static void closed(const char *name, FILE *(*open)(const char *, const char *),
	int (*close_stream)(FILE *), const char *command)
{
	FILE *f = open(command, "r");

	close(fileno(f));
	int status = close_stream(f);
	printf("%s %s, closed: %d %s, ", name, command, status,
		status == -1 ? strerror(errno) : "-");
	printf("%s\n", waitpid(-1, NULL, 0) > 0 ? "not waited for" : "waited for");
}

int main(void)
{
	alarm(30);
	signal(SIGPIPE, SIG_IGN);
	unwritten("mine", mypopen, mypclose, "exit 9");
	unwritten("libc", popen, pclose, "exit 9");
	unwritten("mine", mypopen, mypclose, "exit 0");
	unwritten("libc", popen, pclose, "exit 0");
	FILE *f = mypopen("cat; exit 3", "w");
	fputs("flushed by mypclose\n", f);
	fflush(stdout); /* before cat writes to the same file */
	printf("status %d\n", mypclose(f) >> 8);
	closed("mine", mypopen, mypclose, "exit 9");
	closed("mine", mypopen, mypclose, "exit 0");
	closed("libc", popen, pclose, "exit 9");
	return 0;
}
