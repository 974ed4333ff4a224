/* Who may call what. */
#ifndef POLICY_H
#define POLICY_H

#include <ctype.h>

enum kind { UID, GID, NAMED, PRINCIPAL, ANYBODY };

/* A rule for several procedures and callers becomes several of these. */
struct grant {
	int procedure; /* -1: all */
	enum kind kind;
	unsigned number;
	char *name;
};

static struct grant *grants;
static size_t grant_count;

struct caller {
	bool numbered; /* has uid and gids */
	uid_t uid;
	gid_t gid;
	u_int group_count;
	const gid_t *groups;
	const char *name, *principal;
};

static const char *const procedures[] = { "null", "add", "subtract", "multiply", "divide", "remainder", "evaluate" };
enum { PROCEDURES = sizeof(procedures) / sizeof(*procedures) };

static char *trim(char *text)
{
	char *end;

	text += strspn(text, " \t\n");
	for (end = text + strlen(text); end > text && strchr(" \t\n", end[-1]);)
		*--end = '\0';
	return text;
}

static int procedure_named(const char *name, const char *rule, char *wrong, size_t room)
{
	if (strcmp(name, "all") == 0)
		return -1;
	for (int i = 1; i < PROCEDURES; i++)
		if (strcmp(name, procedures[i]) == 0)
			return i;
	snprintf(wrong, room, "\"%s\": there is no procedure \"%s\"", rule, name);
	return -2;
}

static bool parse_caller(char *text, struct grant *g)
{
	static const char *const kinds[] = { "uid", "gid", "name", "principal" };
	char *state, *kind = strtok_r(text, " \t", &state), *value = strtok_r(NULL, " \t", &state), *end;
	unsigned long number;

	if (!kind || strtok_r(NULL, " \t", &state))
		return false;
	if (!value && strcmp(kind, "anybody") == 0) {
		g->kind = ANYBODY;
		return true;
	}
	for (int k = UID; k <= PRINCIPAL && value; k++) {
		if (strcmp(kind, kinds[k]) != 0)
			continue;
		g->kind = (enum kind)k;
		if (k >= NAMED) {
			g->name = strdup(value);
			return true;
		}
		errno = 0;
		number = strtoul(value, &end, 10);
		g->number = (unsigned)number;
		return isdigit((unsigned char)*value) && !*end && !errno && number <= UINT_MAX;
	}
	return false;
}

/* Adds a rule; false and what is wrong with it. */
static bool add_rule(const char *rule, char *wrong, size_t room)
{
	char copy[1024], callers[1024], *colon, *outer, *inner;

	snprintf(copy, sizeof(copy), "%s", rule);
	colon = strchr(copy, ':');
	if (!colon || strlen(rule) >= sizeof(copy)) {
		snprintf(wrong, room, "\"%s\": no colon between procedures and callers", rule);
		return false;
	}
	*colon = '\0';
	for (char *p = strtok_r(copy, ",", &outer); p; p = strtok_r(NULL, ",", &outer)) {
		int procedure = procedure_named(trim(p), rule, wrong, room);

		if (procedure == -2)
			return false;
		snprintf(callers, sizeof(callers), "%s", colon + 1);
		for (char *c = strtok_r(callers, ",", &inner); c; c = strtok_r(NULL, ",", &inner)) {
			struct grant g = { .procedure = procedure };

			if (!parse_caller(trim(c), &g)) {
				snprintf(wrong, room, "\"%s\": not uid N, gid N, name NETNAME, principal NAME or anybody", rule);
				return false;
			}
			grants = realloc(grants, (grant_count + 1) * sizeof(*grants));
			if (!grants)
				die("no memory");
			grants[grant_count++] = g;
		}
	}
	return true;
}

static void add_rules_of(const char *path)
{
	FILE *f = fopen(path, "re");
	char line[1024], wrong[1500];

	if (!f)
		die("open %s: %s", path, strerror(errno));
	for (int number = 1; fgets(line, sizeof(line), f); number++) {
		char *rule = trim(line);

		if (*rule && *rule != '#' && !add_rule(rule, wrong, sizeof(wrong)))
			die("%s:%d: %s", path, number, wrong);
	}
	fclose(f);
}

static bool is(const struct caller *c, const struct grant *g)
{
	if (g->kind == ANYBODY)
		return true;
	if (g->kind == NAMED)
		return c->name && strcmp(c->name, g->name) == 0;
	if (g->kind == PRINCIPAL)
		return c->principal && strcmp(c->principal, g->name) == 0;
	if (!c->numbered)
		return false;
	if (g->kind == UID)
		return c->uid == g->number;
	for (u_int i = 0; i < c->group_count; i++)
		if (c->groups[i] == g->number)
			return true;
	return c->gid == g->number;
}

static bool allowed(const struct caller *c, unsigned procedure)
{
	for (size_t i = 0; i < grant_count; i++)
		if ((grants[i].procedure == -1 || (unsigned)grants[i].procedure == procedure) && is(c, &grants[i]))
			return true;
	return grant_count == 0;
}

#endif
