/*
 * Keys of AUTH_DES: key pairs, the file that has them, common keys, and DES. glibc no longer
 * lets a program link with its Sun RPC, but still carries it for old programs: DES is from
 * there.
 */
#ifndef KEYS_H
#define KEYS_H

#include <ctype.h>
#include <dlfcn.h>
#include <stdint.h>
#include <unistd.h>

#include "../../internal/cli/ref/cli.h"

enum { NAME = 255, PUBLIC = 48, SEALED = 64 }; /* sizes as text */

struct block {
	unsigned char byte[8];
};

static inline void *old(const char *name)
{
	void *at = dlvsym(RTLD_DEFAULT, name, "GLIBC_2.2.5");

	if (!at)
		die("this C library has no %s any more", name);
	return at;
}

/* 192 bits, the most significant word first, as in text. */
struct key {
	uint64_t word[3];
};

static const struct key modulus = { { 0xd4a0ba0250b6fd2e, 0xc626e7efd637df76, 0xc716e22d0944b88b } };

static inline int compare(const struct key *a, const struct key *b)
{
	for (int i = 0; i < 3; i++)
		if (a->word[i] != b->word[i])
			return a->word[i] < b->word[i] ? -1 : 1;
	return 0;
}

/* a + b, both less than the modulus. */
static inline struct key sum(struct key a, struct key b)
{
	struct key less;
	unsigned __int128 carry = 0, borrow = 0;

	for (int i = 2; i >= 0; i--) {
		carry += (unsigned __int128)a.word[i] + b.word[i];
		a.word[i] = (uint64_t)carry;
		carry >>= 64;
	}
	for (int i = 2; i >= 0; i--) {
		unsigned __int128 d = (unsigned __int128)a.word[i] - modulus.word[i] - borrow;

		less.word[i] = (uint64_t)d;
		borrow = d >> 64 ? 1 : 0;
	}
	return carry || !borrow ? less : a;
}

static inline int bit(const struct key *k, int i)
{
	return k->word[2 - i / 64] >> i % 64 & 1;
}

static inline struct key product(struct key a, struct key b)
{
	struct key p = { { 0 } };

	for (int i = 191; i >= 0; i--) {
		p = sum(p, p);
		if (bit(&b, i))
			p = sum(p, a);
	}
	return p;
}

static inline struct key power(struct key base, struct key exponent)
{
	struct key p = { { 0, 0, 1 } };

	for (int i = 191; i >= 0; i--) {
		p = product(p, p);
		if (bit(&exponent, i))
			p = product(p, base);
	}
	return p;
}

static inline struct key key_of(const char *digits)
{
	struct key k;

	sscanf(digits, "%16lx%16lx%16lx", &k.word[0], &k.word[1], &k.word[2]);
	return k;
}

static inline void print_key(struct key k, char digits[PUBLIC + 1])
{
	snprintf(digits, PUBLIC + 1, "%016lx%016lx%016lx", k.word[0], k.word[1], k.word[2]);
}

/* The middle 8 bytes of what two parties have in common, the last of them first. */
static inline struct block common_key(struct key secret, struct key public)
{
	void (*set_parity)(char *) = old("des_setparity");
	struct block b;
	uint64_t middle = power(public, secret).word[1];

	for (int i = 0; i < 8; i++)
		b.byte[i] = (unsigned char)(middle >> 8 * i);
	set_parity((char *)b.byte);
	return b;
}

enum { SEAL = 2, OPEN = 3 }; /* DES in software */

/* One block by itself. */
static inline struct block crypt_block(struct block key, struct block text, unsigned mode)
{
	int (*ecb_crypt)(char *, char *, unsigned, unsigned) = old("ecb_crypt");

	ecb_crypt((char *)key.byte, (char *)text.byte, sizeof(text), mode);
	return text;
}

struct keys {
	char name[NAME + 1], public[PUBLIC + 1], sealed[SEALED + 1];
};

static inline int hex_digits(const char *text, size_t n)
{
	return strlen(text) == n && strspn(text, "0123456789abcdefABCDEF") == n;
}

/* One line: 0 if it is empty or a comment; the text of an error goes to wrong. */
static inline int parse_keys(char *line, struct keys *k, const char **wrong)
{
	static const struct key zero, one = { { 0, 0, 1 } };
	char *name = strtok(line, " \t\n"), *keys = strtok(NULL, " \t\n"), *sealed = keys ? strchr(keys, ':') : NULL;
	struct key public, successor;

	*wrong = NULL;
	if (!name || *name == '#')
		return 0;
	if (!sealed || strtok(NULL, " \t\n") || strlen(name) > NAME) {
		*wrong = "not a netname and its keys";
		return 0;
	}
	*sealed++ = '\0';
	if (!hex_digits(keys, PUBLIC) || !hex_digits(sealed, SEALED)) {
		*wrong = "keys of another length, or no hex digits";
		return 0;
	}
	public = key_of(keys);
	successor = sum(compare(&public, &modulus) < 0 ? public : one, one);
	if (compare(&public, &modulus) >= 0 || compare(&public, &one) <= 0 || compare(&successor, &zero) == 0) {
		*wrong = "a public key that is not between 1 and the modulus";
		return 0;
	}
	strcpy(k->name, name);
	strcpy(k->public, keys);
	strcpy(k->sealed, sealed);
	return 1;
}

/* Looks for a netname; bad lines, and two of the same name, end the program. */
static inline int find_keys(FILE *f, const char *path, const char *name, struct keys *found)
{
	char line[1024];
	const char *wrong;
	struct keys k;
	int number = 0, at = 0;

	while (fgets(line, sizeof(line), f)) {
		number++;
		if (parse_keys(line, &k, &wrong) && strcmp(k.name, name) == 0) {
			if (at)
				die("%s:%d: %s has keys in line %d already", path, number, name, at);
			at = number;
			*found = k;
		}
		if (wrong)
			die("%s:%d: %s", path, number, wrong);
	}
	return at;
}

static inline struct keys keys_of(const char *path, const char *name)
{
	FILE *f = fopen(path, "re");
	struct keys k;

	if (!f)
		die("open %s: %s", path, strerror(errno));
	if (!find_keys(f, path, name, &k))
		die("%s: no key of %s", path, name);
	fclose(f);
	return k;
}

/* The first line of a file, or what is typed at the terminal. */
static inline const char *password(const char *path, const char *name)
{
	static char line[256];
	FILE *f;

	if (!path) {
		char prompt[NAME + 20];
		const char *typed;

		snprintf(prompt, sizeof(prompt), "Password of %s: ", name);
		typed = getpass(prompt);
		if (!typed || !*typed)
			die("no password");
		return typed;
	}
	f = fopen(path, "re");
	if (!f)
		die("open %s: %s", path, strerror(errno));
	if (!fgets(line, sizeof(line), f) || !*strtok(line, "\r\n"))
		die("%s: no password", path);
	fclose(f);
	return line;
}

/* The secret key of a netname. */
static inline struct key open_secret(const char *path, const char *name, const char *password_file)
{
	static const struct key three = { { 0, 0, 3 } };
	int (*xdecrypt)(char *, char *) = old("xdecrypt");
	struct keys k = keys_of(path, name);
	char text[256], public[PUBLIC + 1];
	struct key secret;

	snprintf(text, sizeof(text), "%s", password(password_file, name));
	xdecrypt(k.sealed, text);
	if (strncmp(k.sealed, k.sealed + PUBLIC, SEALED - PUBLIC) != 0)
		die("%s: the key of %s: wrong password", path, name);
	k.sealed[PUBLIC] = '\0';
	secret = key_of(k.sealed);
	print_key(power(three, secret), public);
	if (strcasecmp(public, k.public) != 0)
		die("%s: the keys of %s are no pair", path, name);
	return secret;
}

#endif
