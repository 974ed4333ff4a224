/*
 * glibc.c - what glibc itself still has of AUTH_DES
 *
 * glibc no longer lets a program link with its Sun RPC, but carries it for programs that
 * were linked long ago, AUTH_DES included: another implementation to be compared with.
 * There are no headers for it any more, so the layouts are declared here, as the old ABI
 * has them on 64-bit Linux.
 *
 *	glibc password PASSWORD KEY...		each 16*n hex digits, sealed with PASSWORD
 *	glibc client SERVER COMMON WINDOW	COMMON: the common key, 16 hex digits
 * The client prints its netname, conversation key and sealed conversation key, and then
 * obeys lines: "marshal" (prints credential and verifier), "validate HEX", "refresh"
 * (both print 1 or 0).
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>

struct block { unsigned char b[8]; };
struct opaque { int flavor; char *base; unsigned int length; };
struct bytes { unsigned int length; char *base; };

struct auth {
	struct opaque cred, verf;
	struct block key;
	struct ops {
		void (*nextverf)(struct auth *);
		int (*marshal)(struct auth *, void *xdr);
		int (*validate)(struct auth *, struct opaque *);
		int (*refresh)(struct auth *);
		void (*destroy)(struct auth *);
	} *ops;
	void *private;
};

struct xdr { int op; void *ops; char *public; void *private; char *base; unsigned int handy; };

/* cryptkeyarg2 and cryptkeyres of key_prot.x */
struct arg { char *name; struct bytes key; struct block conversation; };
struct res { int status; struct block sealed; };

static struct block common, sealed;

static void *old(const char *name)
{
	void *at = dlvsym(RTLD_DEFAULT, name, "GLIBC_2.2.5");

	if (!at) {
		fprintf(stderr, "glibc: it has no %s any more\n", name);
		exit(3);
	}
	return at;
}

static void print(const void *bytes, size_t n)
{
	const unsigned char *b = bytes;

	while (n--)
		printf("%02x", *b++);
}

static size_t scan(const char *digits, void *bytes, size_t room)
{
	unsigned char *b = bytes;
	size_t n;

	for (n = 0; n < room && sscanf(digits + 2 * n, "%2hhx", &b[n]) == 1; n++)
		;
	return n;
}

static struct block seal(struct block key, struct block text)
{
	int (*ecb_crypt)(char *, char *, unsigned, unsigned) = old("ecb_crypt");

	ecb_crypt((char *)key.b, (char *)text.b, sizeof(text), 0 | 2);	/* encrypt, in software */
	return text;
}

/* In the place of the key server. */
static struct res *keyserver(uid_t uid, char *argument)
{
	struct arg *arg = (struct arg *)argument;
	static struct res res;

	(void)uid;
	sealed = res.sealed = seal(common, arg->conversation);
	return &res;
}

static void marshal(struct auth *auth)
{
	void (*xdrmem_create)(struct xdr *, char *, unsigned, int) = old("xdrmem_create");
	char text[1024];
	struct xdr xdr;
	unsigned int at = 0, i;

	xdrmem_create(&xdr, text, sizeof(text), 0);
	if (!auth->ops->marshal(auth, &xdr))
		exit(4);
	for (i = 0; i < 2; i++) {	/* flavor, length, body */
		uint32_t length = (unsigned char)text[at + 6] << 8 | (unsigned char)text[at + 7];

		print(text + at + 8, length);
		putchar(i ? '\n' : ' ');
		at += 8 + length;
	}
}

static int client(char **argv)
{
	struct auth *(*create)(const char *, struct bytes *, unsigned, struct sockaddr *, struct block *) = old("authdes_pk_create");
	int (*getnetname)(char *) = old("getnetname");
	char name[256], line[1024], zeros[48] = "", body[256];
	struct block conversation = { "\x01\x23\x45\x67\x89\xab\xcd\xef" };
	struct bytes public = { sizeof(zeros), zeros };
	struct auth *auth;

	scan(argv[3], &common, sizeof(common));
	*(struct res *(**)(uid_t, char *))old("__key_encryptsession_pk_LOCAL") = keyserver;
	if (!getnetname(name))
		return 5;
	auth = create(argv[2], &public, atoi(argv[4]), NULL, &conversation);
	if (!auth)
		return 6;
	printf("%s ", name);
	print(&auth->key, sizeof(auth->key));
	putchar(' ');
	print(&sealed, sizeof(sealed));
	putchar('\n');
	while (fflush(stdout), fgets(line, sizeof(line), stdin)) {
		if (strcmp(line, "marshal\n") == 0) {
			marshal(auth);
		} else if (strcmp(line, "refresh\n") == 0) {
			printf("%d\n", auth->ops->refresh(auth));
		} else if (strncmp(line, "validate ", 9) == 0) {
			struct opaque verf = { 3, body, scan(line + 9, body, sizeof(body)) };

			printf("%d\n", auth->ops->validate(auth, &verf));
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	int i;

	if (argc > 3 && strcmp(argv[1], "password") == 0) {
		int (*xencrypt)(char *, char *) = old("xencrypt");

		for (i = 3; i < argc; i++) {
			xencrypt(argv[i], argv[2]);
			puts(argv[i]);
		}
		return 0;
	}
	if (argc == 5 && strcmp(argv[1], "client") == 0)
		return client(argv);
	return 2;
}
