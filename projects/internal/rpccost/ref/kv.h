/* The two procedures of kv.x that are called, and what they take and give, in XDR. */
#ifndef KV_H
#define KV_H

#include <rpc/rpc.h>
#include <stdbool.h>
#include <stdint.h>

enum { PROG = 0x31230002, VERS = 1, PUT = 1, GET = 2 };
enum { KV_OK = 0, KV_STALE = 5, KV_BAD_REQUEST = 6 };
enum { MAX_KEY = 1024, MAX_VALUE = 65536 };

struct bytes {
	u_int n;
	char *at;
};

struct put_args {
	char client[16];
	uint64_t sequence;
	bool_t forwarded;
	struct bytes key, value;
};

struct put_result {
	enum_t status;
	uint64_t revision;
	u_int replicas, members;
};

struct get_args {
	struct bytes key;
	bool_t local, forwarded;
};

struct get_result {
	enum_t status;
	struct bytes value;
	uint64_t revision;
};

static bool_t xdr_nothing(XDR *x, void *unused)
{
	(void)x, (void)unused;
	return TRUE;
}

static bool_t xdr_key(XDR *x, struct bytes *b) { return xdr_bytes(x, &b->at, &b->n, MAX_KEY); }
static bool_t xdr_value(XDR *x, struct bytes *b) { return xdr_bytes(x, &b->at, &b->n, MAX_VALUE); }

static bool_t xdr_put_args(XDR *x, struct put_args *a)
{
	return xdr_opaque(x, a->client, sizeof(a->client)) && xdr_uint64_t(x, &a->sequence) &&
	       xdr_bool(x, &a->forwarded) && xdr_key(x, &a->key) && xdr_value(x, &a->value);
}

static bool_t xdr_put_result(XDR *x, struct put_result *r)
{
	if (!xdr_enum(x, &r->status))
		return FALSE;
	return r->status != KV_OK ||
	       (xdr_uint64_t(x, &r->revision) && xdr_u_int(x, &r->replicas) && xdr_u_int(x, &r->members));
}

static bool_t xdr_get_args(XDR *x, struct get_args *a)
{
	return xdr_key(x, &a->key) && xdr_bool(x, &a->local) && xdr_bool(x, &a->forwarded);
}

static bool_t xdr_get_result(XDR *x, struct get_result *r)
{
	if (!xdr_enum(x, &r->status))
		return FALSE;
	return r->status != KV_OK || (xdr_value(x, &r->value) && xdr_uint64_t(x, &r->revision));
}

#endif
