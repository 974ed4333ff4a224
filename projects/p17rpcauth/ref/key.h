/*
 * Keys of AUTH_DES: numbers of 192 bits, common keys, and DES. glibc no longer lets a program
 * link with its Sun RPC, but still carries it for old programs: DES is from there.
 */
#ifndef KEY_H
#define KEY_H

#include <dlfcn.h>
#include <stdint.h>

#include "../../internal/cli/ref/cli.h"

enum { PUBLIC = 48 }; /* digits */

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

#endif
