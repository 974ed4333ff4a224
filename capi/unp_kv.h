/*
 * unp_kv.h - kv.x: what rpcgen makes and declares nowhere, and a call for Go.
 */
#ifndef UNP_KV_H
#define UNP_KV_H

#include "kv.h"

#include <stdint.h>

/* The dispatcher; its procedures call the hook of unp_sunrpc_server.h. */
void kv_prog_1(struct svc_req *req, SVCXPRT *transport);

/*
 * kv_put_1, the call that is made most, without a structure of the caller's that holds
 * pointers: one of Go's would be searched for them in each call, and what they point to
 * pinned. client is a CLIENT *.
 */
enum clnt_stat unp_kv_put(uintptr_t client, kv_write_id id, char *key, u_int key_length, char *value,
			  u_int value_length, kv_write_result *result);

#endif
