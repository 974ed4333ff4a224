/* popen_bench - runs a command by popen again and again; the time goes to standard output as JSON. */
#include "mypopen.h"

#include <getopt.h>
#include <string.h>

#include "../../internal/cli/ref/amount.h"
#include "../../internal/measure/ref/clock.h"
#include "../../internal/measure/ref/outcome.h"

static const char usage[] =
	"usage: popen_bench [flags]\n\n"
	"Runs a command by popen again and again; the time goes to standard output as JSON.\n\n"
	"flags:\n"
	"      --impl NAME  mine or libc (default mine)\n"
	"      --count N    commands (default 1000)\n"
	"  -h, --help       show this help\n\n"
	"example:\n"
	"  popen_bench --impl mine --count 1000\n";

static void run_command(FILE *(*open)(const char *, const char *), int (*close)(FILE *))
{
	FILE *f = open("echo seven; exit 7", "r");
	char text[64];
	size_t n;
	int status;

	if (!f)
		die("popen: %s", strerror(errno));
	n = fread(text, 1, sizeof(text), f);
	status = close(f);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 7 || n != 6 || memcmp(text, "seven\n", 6) != 0)
		die("it printed %zu bytes, status %d", n, status);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"impl", 1, NULL, 'i'}, {"count", 1, NULL, 'c'}, {"help", 0, NULL, 'h'}, {0},
	};
	const char *impl = "mine";
	uint64_t count = 1000, start;
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case 'h':
			fputs(usage, stdout);
			return 0;
		case 'i':
			impl = optarg;
			break;
		case 'c':
			count = parse_whole(optarg);
			break;
		default:
			try_help();
		}
	}
	if ((strcmp(impl, "mine") && strcmp(impl, "libc")) || count == 0 || optind < argc)
		bad_usage("--impl is mine or libc, --count is at least 1");
	start = now_ns();
	for (uint64_t i = 0; i < count; i++) {
		if (strcmp(impl, "mine") == 0)
			run_command(mypopen, mypclose);
		else
			run_command(popen, pclose);
	}
	print_outcome(count, now_ns() - start, NULL);
	return finish();
}
