/* The file of key pairs, and passwords that open secret keys. */
#ifndef KEYMAP_H
#define KEYMAP_H

#include <unistd.h>

#include "key.h"

enum { NAME = 255, SEALED = 64 }; /* sizes as text */

struct keys {
	char name[NAME + 1], public[PUBLIC + 1], sealed[SEALED + 1];
};

static inline int hex_digits(const char *text, size_t n)
{
	return strlen(text) == n && strspn(text, "0123456789abcdefABCDEF") == n;
}

/* Whether digits are a number between 1 and the modulus: with any other the common key would
 * be known to everybody. */
static inline int public_key(const char *digits)
{
	static const struct key zero, one = { { 0, 0, 1 } };
	struct key public = hex_digits(digits, PUBLIC) ? key_of(digits) : zero, successor;

	if (compare(&public, &modulus) >= 0 || compare(&public, &one) <= 0)
		return 0;
	successor = sum(public, one);
	return compare(&successor, &zero) != 0;
}

/* One line: 0 if it is empty or a comment; the text of an error goes to wrong. */
static inline int parse_keys(char *line, struct keys *k, const char **wrong)
{
	char *name = strtok(line, " \t\n"), *keys = strtok(NULL, " \t\n"), *sealed = keys ? strchr(keys, ':') : NULL;

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
	if (!public_key(keys)) {
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

/* The keys that a netname has by now, if any: here a bad file must not end the program. */
static inline int look_up(const char *path, const char *name, struct keys *k)
{
	FILE *f = fopen(path, "re");
	char line[1024];
	const char *wrong;
	int found = 0;

	while (f && !found && fgets(line, sizeof(line), f))
		found = parse_keys(line, k, &wrong) && strcmp(k->name, name) == 0;
	if (f)
		fclose(f);
	return found;
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
