/*
 * The keys, the last changes, and how the last write of each client ended: what the log does
 * to them follows from the log alone. All of it is used under the lock.
 */
#ifndef STORE_H
#define STORE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../internal/cli/ref/cli.h"
#include "stubs.h"

enum { MAX_CLIENTS = 10000, KEPT_CHANGES = 4096 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t moved; /* there is another revision, or the server is to end */

/* A key that was put, or deleted: in the table, among the changes, or in both. */
struct item {
	unsigned owners;
	bool present;
	uint64_t revision;
	size_t key_size, value_size;
	struct item *next; /* in its row of the table */
	char key[];	   /* and the value behind it */
};

static struct item **rows;
static size_t row_count, keys;
static struct item *changes[2 * KEPT_CHANGES]; /* the last ones, in their order */
static size_t change_count;
static uint64_t dropped;  /* the revision of the last change that is not kept */
static uint64_t revision; /* of the last write */

static struct session {
	char client[KV_CLIENT_SIZE];
	uint64_t sequence, revision; /* of the client's last write */
	kv_status status;	     /* as which it ended */
} sessions[MAX_CLIENTS];
static size_t session_count;

static inline void *need(void *memory)
{
	if (!memory)
		die("%s", strerror(ENOMEM));
	return memory;
}

static inline void disown(struct item *i)
{
	if (i && --i->owners == 0)
		free(i);
}

static inline struct item **row_of(const char *key, size_t size)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ (uint8_t)key[i]) * UINT64_C(0x100000001b3);
	return &rows[hash & (row_count - 1)];
}

/* Whether bytes are the same; those of none are anywhere. */
static inline bool same(const char *a, size_t a_size, const char *b, size_t b_size)
{
	return a_size == b_size && (!a_size || memcmp(a, b, a_size) == 0);
}

/* Where the pointer to a key's item is, or would be. */
static inline struct item **find(const kv_key *k)
{
	struct item **at = row_of(k->kv_key_val, k->kv_key_len);

	while (*at && !same((*at)->key, (*at)->key_size, k->kv_key_val, k->kv_key_len))
		at = &(*at)->next;
	return at;
}

/* Twice as many rows, once there are more keys than rows. */
static inline void make_rows(void)
{
	size_t old_count = row_count;
	struct item **old = rows;

	if (rows && keys <= row_count)
		return;
	row_count = old_count ? 2 * old_count : 1024;
	rows = need(calloc(row_count, sizeof(*rows)));
	for (size_t r = 0; r < old_count; r++) {
		for (struct item *i = old[r], *next; i; i = next) {
			struct item **row = row_of(i->key, i->key_size);

			next = i->next;
			i->next = *row;
			*row = i;
		}
	}
	free(old);
}

static inline void note_change(struct item *i)
{
	if (change_count == 2 * KEPT_CHANGES) {
		dropped = changes[KEPT_CHANGES - 1]->revision;
		for (size_t c = 0; c < KEPT_CHANGES; c++)
			disown(changes[c]);
		memmove(changes, changes + KEPT_CHANGES, KEPT_CHANGES * sizeof(*changes));
		change_count = KEPT_CHANGES;
	}
	i->owners++;
	changes[change_count++] = i;
}

/* Puts a value at a key, or takes the key out where there is none. */
static inline void set(struct item **at, const kv_key *k, const kv_value *v)
{
	size_t value_size = v ? v->kv_value_len : 0;
	struct item *old = *at, *i = need(malloc(sizeof(*i) + k->kv_key_len + value_size));

	*i = (struct item){ .owners = 0, .present = v, .revision = revision, .key_size = k->kv_key_len, .value_size = value_size,
			    .next = old ? old->next : NULL };
	memcpy(i->key, k->kv_key_val, k->kv_key_len);
	if (value_size)
		memcpy(i->key + i->key_size, v->kv_value_val, value_size);
	if (v) {
		i->owners++;
		keys += !old;
		*at = i;
	} else {
		keys -= !!old;
		*at = i->next;
	}
	note_change(i);
	disown(old);
}

/* A write, as it is in the log. */
struct command {
	enum { PUT = 1, DELETE, SWAP } kind;
	kv_cas_args args; /* of a delete the id and the key, of a put the value, too */
};

static inline kv_status carry_out(const struct command *c)
{
	struct item **at = find(&c->args.key), *old = *at;
	const kv_value *expected = c->args.expected;

	if (c->kind == DELETE && !old)
		return KV_NOT_FOUND;
	if (c->kind == SWAP && !expected != !old)
		return KV_MISMATCH;
	if (c->kind == SWAP && old &&
		!same(old->key + old->key_size, old->value_size, expected->kv_value_val, expected->kv_value_len))
		return KV_MISMATCH;
	set(at, &c->args.key, c->kind == DELETE ? NULL : &c->args.value);
	make_rows();
	return KV_OK;
}

static inline struct session *session_of(const kv_write_id *id)
{
	for (size_t s = 0; s < session_count; s++)
		if (memcmp(sessions[s].client, id->client, sizeof(id->client)) == 0)
			return &sessions[s];
	return NULL;
}

/* The place for a client: that of the one whose last write is the oldest, if there are too many. */
static inline struct session *new_session(void)
{
	struct session *oldest = sessions;

	if (session_count < MAX_CLIENTS)
		return &sessions[session_count++];
	for (struct session *s = sessions; s < sessions + MAX_CLIENTS; s++)
		if (s->revision < oldest->revision)
			oldest = s;
	return oldest;
}

/* Does what the next entry of the log says. */
static inline const struct session *apply(const struct command *c)
{
	struct session *s = session_of(&c->args.id);

	if (!s) {
		s = new_session();
		memcpy(s->client, c->args.id.client, sizeof(s->client));
	}
	revision++;
	s->status = carry_out(c);
	s->sequence = c->args.id.sequence;
	s->revision = revision;
	return s;
}

#endif
