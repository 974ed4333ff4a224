/*
 * mypipe - run a pipeline of programs: the C reference of exercise 1.
 * UNPv2 4.3, APUE 15.2; pipe2(2), fork(2), dup2(2), waitpid(2).
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stages.h"
#include "words.h"

static void complain(const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	fputs("mypipe: ", stderr);
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
	va_end(ap);
}

static void usage_error(void)
{
	fputs("Try 'mypipe --help'.\n", stderr);
	exit(2);
}

/* In the child. exec resets handlers but not the mask. */
static _Noreturn void become(struct stage *s, int in, int out, int report)
{
	if (dup2(in, 0) >= 0 && dup2(out, 1) >= 0) {
		block(SIG_UNBLOCK);
		execvp(s->argv[0], s->argv);
	}
	int error = errno;
	while (write(report, &error, sizeof error) < 0 && errno == EINTR)
		;
	_exit(127);
}

/* Starts a stage; a failed exec is its status. Returns -1 when none was made. */
static int start(struct stage *s, int in, int out)
{
	int report[2], error; /* closed by a successful exec */
	if (pipe2(report, O_CLOEXEC) != 0)
		return -1;
	block(SIG_BLOCK); /* so that a child's handler never runs, and no signal misses it */
	pid_t pid = interrupted ? -1 : fork();
	if (pid == 0)
		become(s, in, out, report[1]);
	int failure = interrupted ? EINTR : errno;
	close(report[1]);
	ssize_t n = 0;
	if (pid > 0)
		while ((n = read(report[0], &error, sizeof error)) < 0 && errno == EINTR)
			;
	close(report[0]);
	if (n == sizeof error) {
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		s->status = -error;
	} else if (pid > 0) {
		s->pid = pid;
	}
	block(SIG_UNBLOCK);
	errno = failure;
	return pid < 0 ? -1 : 0;
}

static int start_all(void)
{
	int in = 0;
	for (int i = 0; i < nstages; i++) {
		int p[2] = {-1, 1};
		int bad = (i < nstages - 1 && pipe2(p, O_CLOEXEC) != 0) || start(&stages[i], in, p[1]);
		int error = errno;
		if (in > 0)
			close(in);
		if (p[1] > 1)
			close(p[1]);
		in = p[0];
		if (!bad)
			continue;
		if (in > 0)
			close(in);
		if (!interrupted)
			complain("%s: %s", stages[i].text, strerror(error));
		for (int k = 0; k < i; k++)
			if (stages[k].pid > 0) {
				kill(stages[k].pid, SIGKILL);
				while (waitpid(stages[k].pid, NULL, 0) < 0 && errno == EINTR)
					;
			}
		return -1;
	}
	return 0;
}

/* Takes ended stages out of the process table in whichever order they end. */
static void wait_all(void)
{
	siginfo_t info;
	int running = 0;
	for (int i = 0; i < nstages; i++)
		running += stages[i].pid > 0;
	while (running > 0) {
		if (waitid(P_ALL, 0, &info, WEXITED | WNOWAIT) != 0)
			continue; /* EINTR: there are children */
		block(SIG_BLOCK); /* a pid that is free must not be signalled */
		int status;
		waitpid(info.si_pid, &status, 0);
		for (int i = 0; i < nstages; i++)
			if (stages[i].pid == info.si_pid) {
				stages[i].pid = 0;
				stages[i].status = status;
				running--;
			}
		block(SIG_UNBLOCK);
	}
}

static int shell_status(int status)
{
	if (status < 0)
		return status == -ENOENT ? 127 : 126;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void tell(int i, int all)
{
	struct stage *s = &stages[i];
	char number[16] = "";
	if (all)
		snprintf(number, sizeof number, "%d: ", i + 1);
	if (s->status == -ENOENT && strchr(s->argv[0], '/') == NULL)
		complain("%s%s: command not found", number, s->argv[0]);
	else if (s->status < 0)
		complain("%s%s: %s", number, s->argv[0], strerror(-s->status));
	else if (WIFSIGNALED(s->status)) {
		int sig = WTERMSIG(s->status);
		if (all || (sig != SIGPIPE && sig != SIGINT))
			complain("%s%s: killed by SIG%s (%s)%s", number, s->text, sigabbrev_np(sig),
				strsignal(sig), WCOREDUMP(s->status) ? ", core dumped" : "");
	} else if (all)
		complain("%s%s: exit status %d", number, s->text, WEXITSTATUS(s->status));
}

static const char help[] =
	"usage: mypipe [flags] \"cmd1\" \"cmd2\" …\n"
	"\n"
	"Runs the commands at once, each one's standard output connected to the next\n"
	"one's standard input by a pipe. A command is split into words like a shell does\n"
	"it (quotes, backslashes) and executed without a shell. The exit status is the\n"
	"last command's as a shell gives it: 127 not found, 126 not executable, 128+n\n"
	"killed by signal n.\n"
	"\n"
	"flags:\n"
	"  -h, --help       show this help\n"
	"      --shell      run each command by /bin/sh -c\n"
	"      --pipefail   exit with the status of the last command that failed, if any did\n"
	"      --status     print how each command ended to standard error\n"
	"\n"
	"example:\n"
	"  mypipe \"cat /etc/passwd\" \"grep root\" \"cut -d: -f1\"\n"
	"  mypipe --shell 'for i in 1 2 3; do echo $i; done' 'sort -r'\n";

int main(int argc, char **argv)
{
	static int shell, pipefail, status;
	static const struct option options[] = {{"help", no_argument, NULL, 'h'},
		{"shell", no_argument, &shell, 1}, {"pipefail", no_argument, &pipefail, 1},
		{"status", no_argument, &status, 1}, {0}};
	for (int c; (c = getopt_long(argc, argv, "+h", options, NULL)) != -1;) {
		if (c == 'h')
			return fputs(help, stdout) == EOF;
		if (c == '?')
			usage_error();
	}
	nstages = argc - optind;
	if (nstages == 0) {
		complain("no commands given");
		usage_error();
	}
	stages = calloc((size_t)nstages, sizeof *stages);
	for (int i = 0; i < nstages; i++) {
		struct stage *s = &stages[i];
		const char *error = NULL;
		s->text = argv[optind + i];
		if (shell) {
			char *words[] = {"/bin/sh", "-c", argv[optind + i], NULL};
			s->argv = memcpy(malloc(sizeof words), words, sizeof words);
		} else if ((s->argv = split_words(s->text, &error)) == NULL) {
			complain("command %d: %s: %s", i + 1, s->text, error);
			usage_error();
		}
		if (s->argv[0] == NULL || s->argv[0][0] == '\0') {
			complain("command %d: an empty command", i + 1);
			usage_error();
		}
	}
	catch_signals();
	int failed = start_all();
	if (failed == 0)
		wait_all();
	if (interrupted) {
		signal(interrupted, SIG_DFL);
		raise(interrupted);
	}
	if (failed)
		return 1;
	int exit_status = shell_status(stages[nstages - 1].status);
	for (int i = 0; i < nstages; i++) {
		tell(i, status);
		if (pipefail && shell_status(stages[i].status) != 0)
			exit_status = shell_status(stages[i].status);
	}
	return exit_status;
}
