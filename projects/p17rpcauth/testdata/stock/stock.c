/*
 * stock.c - the functions of the C libraries that talk to a key server
 *
 *	stock glibc|libtirpc COMMAND ...
 * The commands are done one after the other, each with its arguments; one line is printed
 * for each: what came out, or "failed".
 *	set KEY			key_setsecret
 *	isset			key_secretkey_is_set
 *	setnet KEY PUBLIC NAME	key_setnet
 *	gendes			key_gendes: how many of its 8 bytes have odd parity
 *	encrypt NAME BLOCK	key_encryptsession
 *	decrypt NAME BLOCK	key_decryptsession
 *	encrypt_pk NAME PUBLIC BLOCK	key_encryptsession_pk
 *	decrypt_pk NAME PUBLIC BLOCK	key_decryptsession_pk
 *	conv PUBLIC		key_get_conv
 * glibc no longer lets programs link with its own, which look at /var/run/keyservsock;
 * libtirpc's ask rpcbind. The types are those of key_prot.x in both.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct block {
	unsigned char byte[8];
};

struct bytes { /* netobj */
	unsigned length;
	char *bytes;
};

struct net { /* key_netstarg */
	char secret[48], public[48];
	char *name;
};

static void *libtirpc;

static void *stock(const char *name)
{
	void *at = libtirpc ? dlsym(libtirpc, name) : dlvsym(RTLD_DEFAULT, name, "GLIBC_2.2.5");

	if (!at) {
		fprintf(stderr, "stock: no %s\n", name);
		exit(3);
	}
	return at;
}

static struct block read_block(const char *digits)
{
	struct block b = { { 0 } };

	for (int i = 0; i < 8; i++)
		sscanf(digits + 2 * i, "%2hhx", &b.byte[i]);
	return b;
}

static void print(int failed, const struct block *b)
{
	for (int i = 0; !failed && i < 8; i++)
		printf("%02x", b->byte[i]);
	puts(failed ? "failed" : "");
}

static int crypt_named(const char *function, char *name, struct block *b)
{
	int (*call)(char *, struct block *) = stock(function);

	return call(name, b);
}

static int crypt_pk(const char *function, char *name, char *public, struct block *b)
{
	int (*call)(char *, struct bytes *, struct block *) = stock(function);
	struct bytes key = { (unsigned)strlen(public) + 1, public };

	return call(name, &key, b);
}

/* Does one command; what is behind it, and its arguments. */
static char **run(char **arg)
{
	const char *command = *arg++;
	struct block b = { { 0 } };

	if (strcmp(command, "set") == 0) {
		int (*set)(char *) = stock("key_setsecret");
		char key[49] = ""; /* glibc's takes 48 bytes of it */

		strncpy(key, *arg++, 48);
		puts(set(key) ? "failed" : "set");
	} else if (strcmp(command, "isset") == 0) {
		int (*is_set)(void) = stock("key_secretkey_is_set");

		puts(is_set() ? "yes" : "no");
	} else if (strcmp(command, "setnet") == 0) {
		int (*setnet)(struct net *) = stock("key_setnet");
		struct net n;

		memcpy(n.secret, arg[0], 48);
		memcpy(n.public, arg[1], 48);
		n.name = arg[2];
		arg += 3;
		puts(setnet(&n) == -1 ? "failed" : "set"); /* 1 is success here */
	} else if (strcmp(command, "gendes") == 0) {
		int (*gendes)(struct block *) = stock("key_gendes"), odd = 0;

		if (gendes(&b)) {
			puts("failed");
			return arg;
		}
		for (int i = 0; i < 8; i++)
			odd += __builtin_parity(b.byte[i]);
		printf("%d\n", odd);
	} else if (strcmp(command, "encrypt") == 0 || strcmp(command, "decrypt") == 0) {
		b = read_block(arg[1]);
		print(crypt_named(*command == 'e' ? "key_encryptsession" : "key_decryptsession", arg[0], &b), &b);
		arg += 2;
	} else if (strcmp(command, "encrypt_pk") == 0 || strcmp(command, "decrypt_pk") == 0) {
		b = read_block(arg[2]);
		print(crypt_pk(*command == 'e' ? "key_encryptsession_pk" : "key_decryptsession_pk", arg[0], arg[1], &b), &b);
		arg += 3;
	} else if (strcmp(command, "conv") == 0) {
		int (*conv)(char *, struct block *) = stock("key_get_conv");

		print(conv(*arg++, &b), &b);
	} else {
		fprintf(stderr, "stock: %s?\n", command);
		exit(2);
	}
	return arg;
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "libtirpc") == 0 && !(libtirpc = dlopen("libtirpc.so.3", RTLD_NOW))) {
		fprintf(stderr, "stock: %s\n", dlerror());
		return 3;
	}
	for (char **arg = argv + 2; argc > 1 && *arg;)
		arg = run(arg);
	return fflush(stdout) ? 1 : 0;
}
