/*
 * test_mypopen - tries popen and pclose on a table of cases: those of mypopen.h, or
 * libc's.
 */
#include "mypopen.h"

#include <getopt.h>

#include "../../internal/cli/ref/cli.h"
#include "cases.h"

static const struct implementation implementations[] = {
	{"mine", mypopen, mypclose, true},
	{"libc", popen, pclose, false},
};

static const char *running = "";

static void hangs(int sig)
{
	static const char text[] = ": no end after a minute\n";

	(void)sig;
	if (write(2, "test_mypopen: ", 14) < 0 || write(2, running, strlen(running)) < 0 ||
		write(2, text, sizeof text - 1) < 0)
		_exit(1);
	_exit(1);
}

static void nothing(int sig)
{
	(void)sig;
}

/* Tries one case. One that hangs ends the process. */
static bool run(const struct implementation *impl, const struct test_case *c)
{
	struct trial t = {.c = c, .impl = impl};
	int descriptors = open_descriptors();
	bool children = have_children();

	fputs("Testing mypopen(\"", stdout);
	put_escaped(text_of(c->command));
	printf("\", \"%s\")...\n", c->mode);
	fflush(stdout);
	running = c->name;
	alarm(60);
	c->body(&t);
	alarm(0);
	int more = open_descriptors() - descriptors;
	if (more != 0)
		fail(&t, "%d descriptors more than before", more);
	if (have_children() != children)
		fail(&t, "a child is left behind");
	if (!t.failed && c->note != NULL)
		say("PASS (%s)", c->note);
	else if (!t.failed)
		say("PASS");
	putchar('\n');
	fflush(stdout);
	return !t.failed;
}

static _Noreturn void help(void)
{
	puts("usage: test_mypopen [flags] \n\n"
	     "Tries mypopen and mypclose on a table of cases and says for each whether it passed.\n"
	     "Exit status: 0 all passed, 1 one failed, 2 wrong usage.\n\n"
	     "flags:\n"
	     "  -h, --help           show this help\n"
	     "      --impl string    what to try: mine, or libc for popen and pclose (default \"mine\")\n"
	     "      --only strings   try these cases only; may be repeated\n"
	     "      --list           list the cases instead\n\n"
	     "example:\n"
	     "  test_mypopen\n"
	     "  test_mypopen --impl libc\n"
	     "  test_mypopen --only ls,cat,exit-42");
	exit(0);
}

static const struct implementation *choose(const char *name)
{
	for (size_t i = 0; i < sizeof implementations / sizeof *implementations; i++)
		if (strcmp(implementations[i].name, name) == 0)
			return &implementations[i];
	bad_usage("unknown implementation: %s", name);
}

/* Marks the cases named in a list with commas between them. */
static void select_cases(bool selected[CASES], char *names)
{
	for (char *name; (name = strsep(&names, ",")) != NULL;) {
		int i = 0;

		while (i < CASES && strcmp(cases[i].name, name) != 0)
			i++;
		if (i == CASES)
			bad_usage("unknown case: %s", name);
		selected[i] = true;
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"help", no_argument, NULL, 'h'},
		{"impl", required_argument, NULL, 'i'}, {"only", required_argument, NULL, 'o'},
		{"list", no_argument, NULL, 'l'}, {0}};
	static char buffer[1 << 16]; /* more than a case prints: see say */
	const struct implementation *impl = &implementations[0];
	bool selected[CASES] = {false}, all = true, listing = false;
	int option, fd, tried = 0, passed = 0;

	/* Descriptors 0 to 2 must be something: the cases replace them. */
	while ((fd = open("/dev/null", O_RDWR)) >= 0 && fd <= 2)
		;
	if (fd >= 0)
		close(fd);
	opterr = 0; /* bad_usage says it */
	while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		switch (option) {
		case 'h':
			help();
		case 'i':
			impl = choose(optarg);
			break;
		case 'o':
			select_cases(selected, optarg);
			all = false;
			break;
		case 'l':
			listing = true;
			break;
		case ':':
			bad_usage("flag needs an argument: %s", argv[optind - 1]);
		default:
			bad_usage("unknown flag: %s", argv[optind - 1]);
		}
	}
	if (optind < argc)
		bad_usage("unexpected argument: %s", argv[optind]);

	setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
	setenv("LC_ALL", "C", 1); /* commands then print the same everywhere */
	/* A handler, and not SIG_IGN, which the commands would inherit. */
	sigaction(SIGPIPE, &(struct sigaction){.sa_handler = nothing, .sa_flags = SA_RESTART}, NULL);
	signal(SIGALRM, hangs);
	for (int i = 0; i < CASES; i++) {
		if (!all && !selected[i])
			continue;
		if (listing) {
			printf("%-16s %s\n", cases[i].name, cases[i].shows);
			continue;
		}
		tried++;
		passed += run(impl, &cases[i]);
	}
	if (!listing)
		printf("%d of %d cases passed\n", passed, tried);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "test_mypopen: standard output: %s\n", strerror(errno));
		return 1;
	}
	return passed == tried ? 0 : 1;
}
