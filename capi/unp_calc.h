/*
 * unp_calc.h - the server's side of calc.x: what rpcgen makes and declares nowhere.
 */
#ifndef UNP_CALC_H
#define UNP_CALC_H

#include "calc.h"

/* Dispatchers; their procedures call the hook of unp_sunrpc_server.h. */
void calc_prog_1(struct svc_req *req, SVCXPRT *transport);
void calc_prog_2(struct svc_req *req, SVCXPRT *transport);

#endif
