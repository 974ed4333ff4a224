/* cases.h - the table of cases; the Go program has the same. */
#ifndef CASES_H
#define CASES_H

#include "bodies.h"
#include "ends.h"
#include "several.h"
#include "signals.h"

static const struct test_case cases[] = {
	/* What popen is for. */
	{"ls", "the output of a command is read", "ls", "r", .body = list, .returns = "0"},
	{"cat", "the input of a command is written", "cat", "w", .body = exchange,
		.input = TEXT("Hello from parent\n"), .output = TEXT("Hello from parent\n"),
		.returns = "0"},
	{"exit-42", "the exit status comes back", "exit 42", "r", .body = exchange,
		.returns = "42", .note = "exit status preserved"},
	{"shell", "the shell reads the command: pipes, words, arithmetic",
		"echo one two | tr a-z A-Z; echo $((6 * 7))", "r", .body = exchange,
		.output = TEXT("ONE TWO\n42\n"), .returns = "0"},
	{"argv0", "the shell's name is sh", "echo $0", "r", .body = exchange,
		.output = TEXT("sh\n"), .returns = "0"},
	{"empty", "an empty command does nothing and succeeds", "", "r", .body = exchange,
		.returns = "0"},

	/* The status. */
	{"exit-255", "the largest exit status comes back", "exit 255", "w", .body = exchange,
		.returns = "255"},
	{"killed-term", "death by a signal is told from exit", "kill -TERM $$", "r",
		.body = exchange, .returns = "killed by signal 15"},
	{"killed-kill", "so is death by the signal that cannot be caught", "kill -KILL $$", "w",
		.body = exchange, .returns = "killed by signal 9"},
	{"no-such-command", "a command that is not there: the shell's 127",
		"no-such-command 2>/dev/null", "r", .body = exchange, .returns = "127"},
	{"not-executable", "a file that cannot be executed: the shell's 126",
		"/dev/null 2>/dev/null", "r", .body = exchange, .returns = "126"},
	{"too-long", "a command that exec refuses is refused by mypopen",
		"echo [200000 times x]", "r", .body = too_long},

	/* The mode. */
	{"mode-r", "without e, other programs inherit a stream for reading", "exit 1", "r",
		.body = close_on_exec, .output = TEXT("no"), .returns = "1"},
	{"mode-w", "without e, other programs inherit a stream for writing", "exit 2", "w",
		.body = close_on_exec, .output = TEXT("no"), .returns = "2"},
	{"mode-re", "with e, no program inherits a stream for reading", "exit 3", "re",
		.body = close_on_exec, .output = TEXT("yes"), .returns = "3"},
	{"mode-we", "with e, no program inherits a stream for writing", "exit 4", "we",
		.body = close_on_exec, .output = TEXT("yes"), .returns = "4"},
	{"mode-er", "the letters of the mode may stand in any order", "exit 5", "er",
		.body = close_on_exec, .output = TEXT("yes"), .returns = "5"},
	{"mode-ww", "a letter of the mode may be repeated", "exit 6", "ww",
		.body = close_on_exec, .output = TEXT("no"), .returns = "6"},
	{"mode-rw", "a mode of both directions is refused", "cat", "rw", .body = refused},
	{"mode-none", "a mode of no direction is refused", "cat", "", .body = refused},
	{"mode-e", "e alone is a mode of no direction", "cat", "e", .body = refused},
	{"mode-b", "the b of fopen is refused", "cat", "rb", .body = refused},
	{"mode-plus", "the + of fopen is refused", "cat", "r+", .body = refused},
	{"read-from-w", "a stream for writing cannot be read", "exit 7", "w", .body = wrong_way,
		.output = TEXT("Read"), .returns = "7"},
	{"write-to-r", "a stream for reading cannot be written", "exit 8", "r",
		.body = wrong_way, .output = TEXT("Write"), .returns = "8"},

	/* What passes through. */
	{"binary-read", "every byte can be read, NUL too", "printf '\\000\\001\\377\\000\\n'",
		"r", .body = exchange, .output = TEXT("\x00\x01\xff\x00\n"), .returns = "0"},
	{"binary-write", "every byte can be written, NUL too", "od -An -v -tx1", "w",
		.body = exchange, .input = TEXT("\x00\x01\xff\x00\n"),
		.output = TEXT(" 00 01 ff 00 0a\n"), .returns = "0"},
	{"big-read", "megabytes are read without deadlock", "seq 1000000", "r",
		.body = big_read, .returns = "0"},
	{"big-write", "megabytes are written without deadlock", "cksum", "w", .body = big_write,
		.output = TEXT("3634730569 6888896\n"), .returns = "0"},

	/* What the command inherits. */
	{"environment", "a command has the environment of this moment",
		"echo \"$MYPOPEN_TEST\"", "r", .body = environment,
		.output = TEXT("set before\n"), .returns = "0"},
	{"stdin", "a command that is read shares standard input", "cat", "r",
		.body = shared_input, .output = TEXT("meant for the parent\n"), .returns = "0"},
	{"stderr", "a command shares standard error", "echo complaint >&2", "r",
		.body = shared_error, .output = TEXT("complaint\n"), .returns = "0"},
	{"signal-ignored", "a signal that is ignored stays ignored in the command",
		"kill -USR1 $$; echo alive", "r", .body = ignored_signal,
		.output = TEXT("alive\n"), .returns = "0"},
	{"signal-caught", "a signal that is caught is at its default in the command",
		"kill -USR1 $$; echo alive", "r", .body = caught_signal,
		.returns = "killed by signal 10"},

	/* Ends that go first. */
	{"early-eof",
		"end of file comes when output is closed, the status when the command ends",
		"echo early; exec >&-; read go; exit 5", "r", .body = early_end,
		.output = TEXT("early\n"), .returns = "5"},
	{"late-eof",
		"end of file waits for whoever else has the pipe; the status is the shell's",
		"exec 3<&0; { read go <&3; echo late; } & echo early", "r", .body = late_end,
		.output = TEXT("late\n"), .returns = "0"},
	{"sigpipe", "a command whose reader is gone dies of SIGPIPE",
		"exec env --default-signal=PIPE yes", "r", .body = hang_up,
		.returns = "killed by signal 13"},
	{"sigpipe-ignored", "one that ignores SIGPIPE sees its write fail and ends by itself",
		"trap '' PIPE; yes 2>/dev/null; exit 3", "r", .body = hang_up, .returns = "3"},
	{"epipe", "writing to a command that is gone fails", "exit 9", "w", .body = broken_pipe,
		.returns = "9"},

	/* Waiting. */
	{"twice", "a stream can be closed once", "exit 10", "r", .body = close_twice,
		.returns = "10"},
	{"unknown", "a stream that mypopen did not return is refused", "exit 11", "r",
		.body = close_unknown, .returns = "11"},
	{"reaped", "a status that somebody else took is gone", "echo $$; exit 12", "r",
		.body = reaped, .returns = "-1 (ECHILD)"},
	{"sigchld-ignored", "there is no status when the parent ignores SIGCHLD", "exit 13",
		"r", .body = children_ignored, .returns = "-1 (ECHILD)"},
	{"other-child", "mypclose takes no other child's status", "exit 14", "r",
		.body = other_child, .returns = "14"},
	{"eintr", "signals that arrive do not end the waiting",
		"for i in 1 2 3; do until grep -q \"^State:.S\" "
		"/proc/$MYPOPEN_TEST/status; do kill -0 $PPID || exit; done; "
		"kill -USR1 $MYPOPEN_TEST; done; exit 15",
		"r", .body = interrupted, .returns = "15"},

	/* Several at once. */
	{"closed-in-child", "a command has no end of the other streams",
		"for fd in $MYPOPEN_TEST; do "
		"[ -e /proc/$$/fd/$fd ] && echo open || echo closed; done", "r",
		.body = closed_in_child, .output = TEXT("closed\nclosed\n"), .returns = "0"},
	{"eof-beside", "a command sees end of file though a later one lives",
		"cat >/dev/null; exit 16", "w", .body = end_beside, .returns = "16"},
	{"sigpipe-beside", "a command's reader is gone though a later one lives",
		"exec env --default-signal=PIPE yes", "r", .body = hang_up_beside,
		.returns = "killed by signal 13"},
	{"order", "streams are closed in any order, each with its own status", "exit N", "r",
		.body = any_order},
	{"many", "300 streams are open at once", "while read n; do m=$n; done; exit $m", "w",
		.body = many},
	{"threads", "eight threads open and close streams at once", "read n; exit $n", "w",
		.body = threads},

	/* Descriptors run out, and low ones. */
	{"emfile", "no descriptor left is an error, and the next call works", "echo back", "r",
		.body = no_descriptors, .output = TEXT("back\n"), .returns = "0"},
	{"stdin-closed", "streams that got the numbers 0 and 1 are not in the way",
		"read n; exit $n", "w", .body = low_numbers, .returns = "17"},
};

enum { CASES = sizeof cases / sizeof *cases };

#endif
