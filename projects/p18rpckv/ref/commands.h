/* What kv_client is told to do. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "local.h"

static double timeout = 10;
static bool local, tells_age, raw, absent, from_now = true;
static u_quad_t after;
static unsigned long long count;

static kv_key key;
static char **args; /* of the command */

#define LONG_POLL 20 /* s: how long a server may wait before it says that nothing has changed */
#define TEXT(s) (int)(s).kv_key_len, (s).kv_key_val

/* The bytes of no bytes are NULL. */
static void show(const char *bytes, u_int size)
{
	if (size)
		fwrite(bytes, 1, size, stdout);
}

static const char *status_text(int status)
{
	static const char *const texts[] = { "done", "no such key", "another value is there", "no majority of servers answers",
		"outcome unknown", "sequence has passed", "bad request", "changes are not kept so long",
		"membership cannot be changed so" };
	static char other[40];

	if (status > 0 && status < (int)(sizeof(texts) / sizeof(*texts)))
		return texts[status];
	snprintf(other, sizeof(other), "key-value store status %d", status);
	return other;
}

/* Ends the process unless a call has a result. */
static void expect(int status)
{
	if (status == KV_OK)
		return;
	if (status == UNKNOWN) {
		fflush(stdout);
		fprintf(stderr, "%s: %s\n", program_invocation_short_name, failure);
		exit(3);
	}
	if (status == NOBODY)
		die("%s", failure);
	if (status == KV_NOT_FOUND || status == KV_MISMATCH)
		die("%.*s: %s", TEXT(key), status_text(status));
	die("%s", status_text(status));
}

/* An argument, or standard input for "-". */
static kv_value value_of(char *arg)
{
	static char text[KV_MAX_VALUE + 1];
	kv_value v = { (u_int)strlen(arg), arg };

	if (strcmp(arg, "-") != 0)
		return v;
	v = (kv_value){ (u_int)fread(text, 1, sizeof(text), stdin), text };
	if (ferror(stdin))
		die("standard input: %s", strerror(errno));
	if (v.kv_value_len > KV_MAX_VALUE)
		die("a value has at most %d bytes", KV_MAX_VALUE);
	return v;
}

static void write_call(const struct procedure *p, void *call)
{
	union result r;
	kv_written *w = &r.write.kv_write_result_u.written;

	expect(ask(p, call, &r, now() + timeout, ONE_TRY));
	if (w->replicas < w->members)
		printf("OK (replicated to %u of %u nodes)\n", w->replicas, w->members);
	else
		printf("OK (replicated to %u %s)\n", w->replicas, w->members == 1 ? "node" : "nodes");
}

static void put(void)
{
	write_call(&putting, &(kv_put_args){ .id = write_id(), .key = key, .value = value_of(args[1]) });
}

static void del(void)
{
	write_call(&deleting, &(kv_delete_args){ .id = write_id(), .key = key });
}

static void cas(void)
{
	kv_value expected = { (u_int)strlen(args[1]), args[1] };

	write_call(&swapping, &(kv_cas_args){ .id = write_id(), .key = key, .expected = absent ? NULL : &expected,
						.value = value_of(args[absent ? 1 : 2]) });
}

static void show_value(const char *bytes, u_int size)
{
	show(bytes, size);
	if (!raw)
		putchar('\n');
}

static void get(void)
{
	static const char *const lives[] = { "alive", "dead", "closed" };
	enum cache_life life = CACHE_ALIVE;
	const struct cache_found *f = local ? look_in_caches(&key, &life) : NULL;
	kv_get_args call = { .key = key, .local = local };
	kv_value *v;
	union result r;

	if (f) {
		show_value(f->value, (u_int)f->size);
	} else {
		expect(ask(&getting, &call, &r, now() + timeout, ONE_TRY));
		v = &r.get.kv_get_result_u.found.value;
		show_value(v->kv_value_val, v->kv_value_len);
		xdr_free(getting.result, &r);
	}
	if (f && tells_age)
		fprintf(stderr, "%s: from shared memory, at most %.3f s old, of index %llu; the server is %s\n",
			program_invocation_short_name, (double)f->age_ns / 1e9, (unsigned long long)f->index, lives[life]);
	else if (local && tells_age)
		fprintf(stderr, "%s: from a server, of unknown age\n", program_invocation_short_name);
}

static void list(void)
{
	static char last[KV_MAX_KEY];
	kv_list_args call = { .prefix = key, .after = { 0, last }, .local = local };
	double deadline = now() + timeout;
	kv_listed *l;
	union result r;
	bool more;

	do {
		expect(ask(&listing, &call, &r, deadline, ONE_TRY));
		l = &r.list.kv_list_result_u.listed;
		for (u_int i = 0; i < l->keys.kv_keys_len; i++) {
			show(l->keys.kv_keys_val[i].kv_key_val, l->keys.kv_keys_val[i].kv_key_len);
			putchar('\n');
		}
		more = l->more && l->keys.kv_keys_len;
		if (more) {
			kv_key *k = &l->keys.kv_keys_val[l->keys.kv_keys_len - 1];

			call.after.kv_key_len = k->kv_key_len;
			memcpy(last, k->kv_key_val, k->kv_key_len);
		}
		xdr_free(listing.result, &r);
	} while (more);
}

static void watch(void)
{
	kv_watch_args call = { .prefix = key, .after = after, .wait_ms = LONG_POLL * 1000 };
	unsigned long long seen = 0;
	kv_watched *w;
	union result r;

	if (from_now) {
		expect(ask(&looking, NULL, &r, now() + timeout, ONE_TRY));
		call.after = r.state.applied_index;
		xdr_free(looking.result, &r);
	}
	for (bool ended = false; !ended;) {
		expect(ask(&watching, &call, &r, now() + LONG_POLL + timeout, LONG_POLL + ONE_TRY));
		w = &r.watch.kv_watch_result_u.watched;
		for (u_int i = 0; i < w->changes.kv_changes_len && !ended; i++) {
			kv_change *c = &w->changes.kv_changes_val[i];

			printf("%llu %s ", (unsigned long long)c->revision, c->value ? "put" : "del");
			show(c->key.kv_key_val, c->key.kv_key_len);
			if (c->value) {
				putchar(' ');
				show(c->value->kv_value_val, c->value->kv_value_len);
			}
			putchar('\n');
			if (fflush(stdout))
				die("standard output: %s", strerror(errno));
			ended = ++seen == count;
		}
		call.after = w->revision;
		xdr_free(watching.result, &r);
	}
}

static void show_state(const char *addr, const kv_state *s)
{
	printf("server: %s\nid: %s\nrole: %s\nleader: %s\n", addr, s->id, s->role, *s->leader ? s->leader : "none");
	printf("term: %llu\nlast: %llu\ncommit: %llu\napplied: %llu\nsnapshot: %llu\nkeys: %llu\n", (unsigned long long)s->term,
		(unsigned long long)s->last_index, (unsigned long long)s->commit_index, (unsigned long long)s->applied_index,
		(unsigned long long)s->snapshot_index, (unsigned long long)s->keys);
	for (u_int i = 0; i < s->members.kv_members_len; i++) {
		kv_member *m = &s->members.kv_members_val[i];

		printf("member: %s %s %s match %llu\n", m->id, m->addr, m->voter ? "voter" : "learner", (unsigned long long)m->match);
	}
}

/* Asks each server for itself. */
static void status(void)
{
	int all = server_count, shown = 0;
	struct server each[MAX_SERVERS];
	char whys[4000] = "";
	union result r;

	memcpy(each, servers, sizeof(each));
	server_count = 1;
	for (int i = 0; i < all; i++) {
		int s;

		answers_last = 0;
		servers[0] = each[i];
		s = ask(&looking, NULL, &r, now() + timeout, ONE_TRY);
		if (s == NOBODY) {
			size_t used = strlen(whys);

			snprintf(whys + used, sizeof(whys) - used, "%s%s: %s", used ? "; " : "", each[i].addr, servers[0].why);
			continue;
		}
		expect(s);
		if (shown++)
			putchar('\n');
		show_state(each[i].addr, &r.state);
		xdr_free(looking.result, &r);
		clnt_destroy(servers[0].connection);
	}
	if (*whys)
		die("no server answers: %s", whys);
}

static void set_member(char *id, char *addr)
{
	kv_member_args call = { .id = id, .addr = addr };
	union result r;

	expect(ask(&membership, &call, &r, now() + timeout, ONE_TRY));
	puts("OK");
}

static void member_remove(void)
{
	char none[] = "";

	set_member(args[0], none);
}

#endif
