/* key_t - prints the keys that ftok makes of files and numbers. */
#include <limits.h>

#include "../../../internal/lecture/ref/lecture.h"

static void try_key(const char *path, int id)
{
	key_t key = ftok(path, id);

	if (key == -1)
		say("key(\"%s\", %d) = %s\n", path, id, strerror(errno));
	else
		say("key(\"%s\", %d) = %d\n", path, id, key);
}

static void try_file(const char *path)
{
	try_key(path, 100);
	try_key(path, 101);
	try_key(path, 101 + 1024);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {0}};
	char self[PATH_MAX];
	ssize_t n;
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'h': show_help("usage: key_t [flags] [FILE…]\n\n"
			"Prints the keys that ftok makes of a file that does not exist, and of each given one\n"
			"(default: the program's own) with the numbers 100, 101 and 1125.\n\nflags:\n"
			"  -h, --help   show this help\n\nexample:\n  key_t\n  key_t /etc/hostname /tmp");
		default: try_help();
		}
	}
	try_key("/not/existing/path", 100);
	if (optind == argc) {
		n = readlink("/proc/self/exe", self, sizeof self - 1);
		if (n == -1)
			die("readlink /proc/self/exe: %s", strerror(errno));
		self[n] = '\0';
		try_file(self);
	}
	for (int i = optind; i < argc; i++)
		try_file(argv[i]);
	return finish();
}
