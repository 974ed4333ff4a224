/*
 * unp_keyserv.h - the server's side of keyserv.x: what rpcgen makes and declares nowhere.
 */
#ifndef UNP_KEYSERV_H
#define UNP_KEYSERV_H

#include "keyserv.h"

/* Dispatchers; their procedures call the hook of unp_sunrpc_server.h. */
void keyserv_prog_1(struct svc_req *req, SVCXPRT *transport);
void keyserv_prog_2(struct svc_req *req, SVCXPRT *transport);

#endif
