/*
 * unp_raft.h - the server's side of raft.x: what rpcgen makes and declares nowhere.
 */
#ifndef UNP_RAFT_H
#define UNP_RAFT_H

#include "raft.h"

/* The dispatcher; its procedures call the hook of unp_sunrpc_server.h. */
void raft_prog_1(struct svc_req *req, SVCXPRT *transport);

#endif
