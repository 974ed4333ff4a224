/* The key of the queue: --key, or --path and --id; and --explain-key. */
#ifndef KEY_H
#define KEY_H

#include <ctype.h>
#include <ftw.h>
#include <getopt.h>
#include <sys/stat.h>

#include "sysv.h"

/* The root directory is always there and never made anew, which would change the key. */
#define DEFAULT_PATH "/"
#define DEFAULT_ID 'S'
#define SEARCH_AT_MOST 200000

#define KEY_OPTIONS                                                                                \
	{"key", required_argument, NULL, 'k'}, {"path", required_argument, NULL, 'p'},             \
		{"id", required_argument, NULL, 'i'}, {"explain-key", no_argument, NULL, 'e'}
#define KEY_HELP                                                                                   \
	"      --key key           the queue's key, such as 0x12345678 (default: made by ftok)\n"  \
	"      --path file         the file that ftok makes the key of (default \"/\")\n"          \
	"      --id id             the id that ftok makes the key of, a number or a character\n"   \
	"                          (default \"S\")\n"                                              \
	"      --explain-key       tell how the key comes about and what else has the same,\n"     \
	"                          and exit\n"

static struct {
	const char *key, *path, *id;
	bool explain;
} chosen;

/* Takes an option of KEY_OPTIONS. */
static inline void key_option(int option)
{
	switch (option) {
	case 'k':
		chosen.key = optarg;
		break;
	case 'p':
		chosen.path = optarg;
		break;
	case 'i':
		chosen.id = optarg;
		break;
	case 'e':
		chosen.explain = true;
		break;
	default:
		try_help();
	}
}

/* A decimal number, or a hexadecimal one that begins with 0x. */
static inline bool parse_number(const char *text, uint32_t *number)
{
	bool hex = strncmp(text, "0x", 2) == 0;
	const char *digits = hex ? text + 2 : text;
	char *end;
	errno = 0;
	unsigned long n = strtoul(digits, &end, hex ? 16 : 10);
	*number = (uint32_t)n;
	return isxdigit((unsigned char)*digits) && digits[1] != 'x' && digits[1] != 'X' && !*end &&
		errno == 0 && n <= UINT32_MAX;
}

static inline key_t given_key(void)
{
	uint32_t key;
	if (chosen.path || chosen.id)
		bad_usage("--key is a key already: no --path and no --id with it");
	if (!parse_number(chosen.key, &key))
		bad_usage("--key %s: not a number of 32 bits", chosen.key);
	if (key == IPC_PRIVATE)
		bad_usage("--key %s: the key of private queues, which no other program can find", chosen.key);
	if (!chosen.explain)
		return (key_t)key;
	printf("key 0x%08x was given as it is: no ftok, and nothing tells who else uses it\n", key);
	exit(fflush(stdout) == 0 ? 0 : 1);
}

static inline int given_id(void)
{
	uint32_t id = DEFAULT_ID;
	if (chosen.id && !parse_number(chosen.id, &id)) {
		if (strlen(chosen.id) != 1)
			bad_usage("--id %s: not a number, and not a single character", chosen.id);
		id = (unsigned char)chosen.id[0];
	}
	if (id > INT_MAX)
		bad_usage("--id %s: not a number, and not a single character", chosen.id);
	if ((id & 0xff) == 0)
		bad_usage("--id %s: ftok uses the low 8 bits, which must not all be 0", chosen.id);
	return (int)id;
}

/* The file that is asked about, and what the search for another one found. */
static struct {
	struct stat file;
	char *first[1 << 16]; /* a file for each value of the low 16 bits of an inode */
	ino_t inode[1 << 16];
	char *twin, *a, *b;
	int looked;
} search;

static inline int look(const char *name, const struct stat *st, int kind, struct FTW *where)
{
	(void)where;
	if (kind == FTW_NS || kind == FTW_SL || st->st_dev != search.file.st_dev)
		return 0;
	if (++search.looked > SEARCH_AT_MOST)
		return 1;
	unsigned low = st->st_ino & 0xffff;
	if (low == (search.file.st_ino & 0xffff) && st->st_ino != search.file.st_ino)
		return search.twin = strdup(name), 1;
	if (!search.first[low]) {
		search.first[low] = strdup(name);
		search.inode[low] = st->st_ino;
	} else if (!search.a && search.inode[low] != st->st_ino) {
		search.a = search.first[low];
		search.b = strdup(name);
	}
	return 0;
}

/* Looks from the top of the path's file system for another file with the same key. */
static inline void search_collision(const char *path)
{
	char top[PATH_MAX], above[PATH_MAX];
	struct stat st;
	if (!realpath(path, top))
		die("%s: %s", path, strerror(errno));
	while (strcmp(top, "/") != 0) {
		strcpy(above, top);
		char *slash = strrchr(above, '/');
		slash[slash == above] = '\0';
		if (lstat(above, &st) != 0 || st.st_dev != search.file.st_dev)
			break;
		strcpy(top, above);
	}
	nftw(top, look, 32, FTW_PHYS | FTW_MOUNT);
}

/* A line with what ftok itself says of a file and an id. */
static inline void same(const char *path, int id, const char *what)
{
	struct stat st;
	if (stat(path, &st) != 0)
		die("%s: %s", path, strerror(errno));
	char *shown = show(path, strlen(path));
	printf("  0x%08x = ftok(\"%s\", 0x%x)  inode 0x%lx%s\n", ftok(path, id), shown, id, st.st_ino, what);
	free(shown);
}

static inline _Noreturn void explain(const char *path, int id)
{
	struct stat *st = &search.file;
	if (stat(path, st) != 0)
		die("ftok %s: %s", path, strerror(errno));
	char *shown = show(path, strlen(path));
	printf("key 0x%08x = ftok(\"%s\", 0x%x)\n\n", ftok(path, id), shown, id);
	printf("  bits 31-24  0x%02x    low 8 bits of the id 0x%x\n", id & 0xff, id);
	printf("  bits 23-16  0x%02lx    low 8 bits of the device 0x%lx\n", st->st_dev & 0xff, st->st_dev);
	printf("  bits 15-0   0x%04lx  low 16 bits of the inode 0x%lx\n\n", st->st_ino & 0xffff, st->st_ino);
	printf("The other bits are lost, so others have the same key:\n\n");
	same(path, (int)(((unsigned)id + 256) & INT_MAX), "  another id");
	search_collision(path);
	if (search.twin) {
		same(search.twin, id, "  another file");
	} else if (search.a) {
		printf("\nNone of the %d files looked at has it, but these two have one key:\n\n", search.looked);
		same(search.a, id, "");
		same(search.b, id, "");
	} else {
		printf("\nNone of the %d files looked at has it.\n", search.looked);
	}
	if (fflush(stdout) != 0)
		die("write standard output: %s", strerror(errno));
	exit(0);
}

/* The key that is asked for. Ends the process if only its explanation is wanted. */
static inline key_t choose_key(void)
{
	if (chosen.key)
		return given_key();
	int id = given_id();
	const char *path = chosen.path ? chosen.path : DEFAULT_PATH;
	if (chosen.explain)
		explain(path, id);
	errno = 0;
	key_t key = ftok(path, id);
	if (key == (key_t)-1 && errno) /* -1 is a key like any other */
		die("ftok %s: %s", path, strerror(errno));
	return key;
}

#endif
