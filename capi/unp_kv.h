/*
 * unp_kv.h - the server's side of kv.x: what rpcgen makes and declares nowhere.
 */
#ifndef UNP_KV_H
#define UNP_KV_H

#include "kv.h"

/* The dispatcher; its procedures call the hook of unp_sunrpc_server.h. */
void kv_prog_1(struct svc_req *req, SVCXPRT *transport);

#endif
