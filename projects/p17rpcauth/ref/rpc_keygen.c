/* rpc_keygen: makes key pairs for AUTH_DES. */
#include <fcntl.h>
#include <getopt.h>
#include <libgen.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "keymap.h"

static const char *unfinished; /* a file to be removed */

static void clean_up(void)
{
	if (unfinished)
		unlink(unfinished);
}

static void make_keys(const char *name, const char *secret_word, FILE *to)
{
	static const struct key three = { { 0, 0, 3 } };
	int (*xencrypt)(char *, char *) = old("xencrypt");
	char public[PUBLIC + 1], sealed[SEALED + 1], word[256];
	struct key secret;

	do {
		if (getrandom(&secret, sizeof(secret), 0) != sizeof(secret))
			die("no random bytes: %s", strerror(errno));
	} while (compare(&secret, &modulus) >= 0);
	print_key(power(three, secret), public);
	print_key(secret, sealed);
	memcpy(sealed + PUBLIC, sealed, SEALED - PUBLIC);
	sealed[SEALED] = '\0';
	snprintf(word, sizeof(word), "%s", secret_word);
	xencrypt(sealed, word);
	fprintf(to, "%s %s:%s\n", name, public, sealed);
}

static _Noreturn void help(void)
{
	puts("usage: rpc_keygen [flags] NETNAME\n"
	     "\n"
	     "Makes a key pair for NETNAME and puts it into a file of all netnames, the secret key\n"
	     "sealed with a password.\n"
	     "\n"
	     "flags:\n"
	     "  -h, --help                 show this help\n"
	     "      --keys file            the file, made if it is not there, for all to read\n"
	     "      --password-file file   the password is in this file; else it is asked for\n"
	     "      --replace              NETNAME may have keys, which are lost\n"
	     "\n"
	     "example:\n"
	     "  rpc_keygen --keys keys --password-file pass unix.1000@example.org");
	exit(0);
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "help", no_argument, NULL, 'h' }, { "keys", required_argument, NULL, 'k' },
		{ "password-file", required_argument, NULL, 'p' }, { "replace", no_argument, NULL, 'r' }, { 0 } };
	const char *path = NULL, *password_file = NULL, *name, *word;
	char folder[4096], fresh[4200], line[1024];
	int option, replace = 0, at = 0, number = 0, lock, fd;
	struct keys k;
	FILE *from, *to;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'h': help();
		case 'k': path = optarg; break;
		case 'p': password_file = optarg; break;
		case 'r': replace = 1; break;
		default: bad_usage("wrong flags");
		}
	}
	if (!path || !*path || strlen(path) >= sizeof(folder))
		bad_usage("--keys: which file?");
	if (optind != argc - 1)
		bad_usage("wants one netname");
	name = argv[optind];
	word = password(password_file, name);
	if (!*name || strlen(name) > NAME || strpbrk(name, " \t\r\n") || *name == '#')
		die("\"%s\": no netname", name);

	/* Writers take their turns; readers see the old file or the new one. */
	snprintf(folder, sizeof(folder), "%s", path);
	lock = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lock == -1 || flock(lock, LOCK_EX) == -1)
		die("open %s: %s", folder, strerror(errno));
	from = fopen(path, "re");
	if (!from && errno != ENOENT)
		die("open %s: %s", path, strerror(errno));
	if (from && (at = find_keys(from, path, name, &k)) && !replace)
		die("%s:%d: %s has keys already", path, at, name);
	snprintf(fresh, sizeof(fresh), "%s.newXXXXXX", path);
	fd = mkostemp(fresh, O_CLOEXEC);
	if (fd == -1)
		die("create %s: %s", fresh, strerror(errno));
	unfinished = fresh;
	atexit(clean_up);
	to = fdopen(fd, "w");
	if (from)
		rewind(from);
	while (from && fgets(line, sizeof(line), from)) {
		if (++number == at)
			make_keys(name, word, to);
		else
			fputs(line, to);
	}
	if (!at)
		make_keys(name, word, to);
	if (fchmod(fd, 0644) || fflush(to) || fsync(fd) || fclose(to) || rename(fresh, path))
		die("write %s: %s", path, strerror(errno));
	unfinished = NULL;
	fsync(lock);
	printf("%s: new keys in %s\n", name, path);
	return finish();
}
