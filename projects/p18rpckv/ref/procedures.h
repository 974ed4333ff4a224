/* The procedures of kv.x, for a server without others. */
#ifndef PROCEDURES_H
#define PROCEDURES_H

#include <time.h>

#define KV_SERVER
#include "log.h"

enum { MAX_WAIT_MS = 60000, MAX_WATCHED = 512 << 10 /* bytes of an answer, unless it is one change */ };

static char id[24];	  /* of this server */
static char address[300]; /* where it is */
static bool stopping;	  /* under the lock */

/*
 * A write that was sent again has ended as it did the first time. What is done is on the disk
 * before anybody can read it: the lock is held meanwhile.
 */
static bool_t do_write(struct command *c, kv_write_result *r)
{
	const kv_write_id *of = &c->args.id;
	const struct session *s;

	memset(r, 0, sizeof(*r));
	r->status = KV_BAD_REQUEST;
	if (!c->args.key.kv_key_len)
		return TRUE;
	pthread_mutex_lock(&lock);
	s = session_of(of);
	if (!s || s->sequence < of->sequence) {
		append(c);
		s = apply(c);
		pthread_cond_broadcast(&moved);
	}
	r->status = s->sequence == of->sequence ? s->status : KV_STALE;
	if (r->status == KV_OK)
		r->kv_write_result_u.written = (kv_written){ .revision = s->revision, .replicas = 1, .members = 1 };
	pthread_mutex_unlock(&lock);
	return TRUE;
}

bool_t kv_put_1_svc(kv_put_args *a, kv_write_result *r, struct svc_req *call)
{
	(void)call;
	return do_write(&(struct command){ PUT, { .id = a->id, .key = a->key, .value = a->value } }, r);
}

bool_t kv_delete_1_svc(kv_delete_args *a, kv_write_result *r, struct svc_req *call)
{
	(void)call;
	return do_write(&(struct command){ DELETE, { .id = a->id, .key = a->key } }, r);
}

bool_t kv_cas_1_svc(kv_cas_args *a, kv_write_result *r, struct svc_req *call)
{
	(void)call;
	return do_write(&(struct command){ SWAP, *a }, r);
}

/* A copy for a result, which is freed when it has been sent. */
static char *copy_of(const char *bytes, size_t size)
{
	char *copy = need(malloc(size + 1));

	memcpy(copy, bytes, size);
	copy[size] = '\0';
	return copy;
}

static void give_key(kv_key *to, const struct item *i)
{
	*to = (kv_key){ (u_int)i->key_size, copy_of(i->key, i->key_size) };
}

static void give_value(kv_value *to, const struct item *i)
{
	*to = (kv_value){ (u_int)i->value_size, copy_of(i->key + i->key_size, i->value_size) };
}

bool_t kv_get_1_svc(kv_get_args *a, kv_get_result *r, struct svc_req *call)
{
	const struct item *i;

	(void)call;
	memset(r, 0, sizeof(*r));
	pthread_mutex_lock(&lock);
	i = *find(&a->key);
	r->status = i ? KV_OK : KV_NOT_FOUND;
	if (i) {
		r->kv_get_result_u.found.revision = i->revision;
		give_value(&r->kv_get_result_u.found.value, i);
	}
	pthread_mutex_unlock(&lock);
	return TRUE;
}

static int compare(const char *a, size_t a_size, const char *b, size_t b_size)
{
	size_t shorter = a_size < b_size ? a_size : b_size;
	int order = shorter ? memcmp(a, b, shorter) : 0;

	return order ? order : (a_size > b_size) - (a_size < b_size);
}

static int by_key(const void *a, const void *b)
{
	const struct item *x = *(struct item *const *)a, *y = *(struct item *const *)b;

	return compare(x->key, x->key_size, y->key, y->key_size);
}

static bool begins(const struct item *i, const kv_key *prefix)
{
	return i->key_size >= prefix->kv_key_len &&
	       (!prefix->kv_key_len || memcmp(i->key, prefix->kv_key_val, prefix->kv_key_len) == 0);
}

bool_t kv_list_1_svc(kv_list_args *a, kv_list_result *r, struct svc_req *call)
{
	kv_listed *l = &r->kv_list_result_u.listed;
	struct item **found;
	size_t n = 0;

	(void)call;
	memset(r, 0, sizeof(*r));
	pthread_mutex_lock(&lock);
	found = need(malloc((keys + 1) * sizeof(struct item *)));
	for (size_t row = 0; row < row_count; row++)
		for (struct item *i = rows[row]; i; i = i->next)
			if (begins(i, &a->prefix) &&
				(!a->after.kv_key_len ||
					compare(i->key, i->key_size, a->after.kv_key_val, a->after.kv_key_len) > 0))
				found[n++] = i;
	qsort(found, n, sizeof(*found), by_key);
	l->more = n > KV_MAX_KEYS;
	l->keys.kv_keys_len = (u_int)(l->more ? KV_MAX_KEYS : n);
	l->keys.kv_keys_val = need(calloc(n + 1, sizeof(kv_key)));
	for (u_int k = 0; k < l->keys.kv_keys_len; k++)
		give_key(&l->keys.kv_keys_val[k], found[k]);
	pthread_mutex_unlock(&lock);
	free(found);
	return TRUE;
}

/* The changes after a revision; the last one looked at, or all that there is, is w's. */
static void collect(const kv_key *prefix, kv_watched *w)
{
	size_t bytes = 0;

	for (size_t c = 0; c < change_count; c++) {
		const struct item *i = changes[c];
		kv_change *to = &w->changes.kv_changes_val[w->changes.kv_changes_len];

		if (i->revision <= w->revision)
			continue;
		if (begins(i, prefix)) {
			bytes += i->key_size + i->value_size;
			if (w->changes.kv_changes_len == KV_MAX_CHANGES || (w->changes.kv_changes_len && bytes > MAX_WATCHED))
				return;
			to->revision = i->revision;
			give_key(&to->key, i);
			if (i->present) {
				to->value = need(calloc(1, sizeof(*to->value)));
				give_value(to->value, i);
			}
			w->changes.kv_changes_len++;
		}
		w->revision = i->revision;
	}
	if (w->revision < revision)
		w->revision = revision;
}

bool_t kv_watch_1_svc(kv_watch_args *a, kv_watch_result *r, struct svc_req *call)
{
	unsigned wait_ms = a->wait_ms < MAX_WAIT_MS ? a->wait_ms : MAX_WAIT_MS;
	kv_watched *w = &r->kv_watch_result_u.watched;
	struct timespec end;
	bool in_time = true;

	(void)call;
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_nsec += wait_ms % 1000 * 1000000L;
	end.tv_sec += wait_ms / 1000 + end.tv_nsec / 1000000000;
	end.tv_nsec %= 1000000000;
	memset(r, 0, sizeof(*r));
	w->revision = a->after;
	w->changes.kv_changes_val = need(calloc(KV_MAX_CHANGES + 1, sizeof(kv_change)));
	pthread_mutex_lock(&lock);
	if (a->after < dropped) {
		free(w->changes.kv_changes_val);
		memset(r, 0, sizeof(*r));
		r->status = KV_COMPACTED;
		goto out;
	}
	for (;;) {
		collect(&a->prefix, w);
		if (w->changes.kv_changes_len || stopping || !in_time)
			break;
		in_time = pthread_cond_timedwait(&moved, &lock, &end) == 0;
	}
out:
	pthread_mutex_unlock(&lock);
	return TRUE;
}

bool_t kv_status_1_svc(void *a, kv_state *s, struct svc_req *call)
{
	kv_member *self = need(calloc(1, sizeof(*self)));

	(void)a;
	(void)call;
	memset(s, 0, sizeof(*s));
	pthread_mutex_lock(&lock);
	s->id = copy_of(id, strlen(id));
	s->role = copy_of("leader", 6);
	s->leader = copy_of(id, strlen(id));
	s->term = 1;
	s->last_index = s->commit_index = s->applied_index = revision;
	s->keys = keys;
	*self = (kv_member){ copy_of(id, strlen(id)), copy_of(address, strlen(address)), TRUE, revision };
	pthread_mutex_unlock(&lock);
	s->members.kv_members_len = 1;
	s->members.kv_members_val = self;
	return TRUE;
}

/* It is alone, and stays so. */
bool_t kv_member_1_svc(kv_member_args *a, kv_member_result *r, struct svc_req *call)
{
	(void)a;
	(void)call;
	r->status = KV_CONFLICT;
	return TRUE;
}

int kv_prog_1_freeresult(SVCXPRT *x, xdrproc_t type, caddr_t result)
{
	(void)x;
	xdr_free(type, result);
	return TRUE;
}

#endif
