/*
 * unp_rpcbind.h - questions to rpcbind: rpcbind(8), RFC 1833, UNPv2 16.
 *
 * libtirpc's own rpcb_getaddr and so on find rpcbind and wait for it by themselves, and
 * cannot be interrupted. These are calls over a handle that is there: program RPCBPROG,
 * version RPCBVERS. A netid is tcp, tcp6, udp, udp6 or local: netconfig(5).
 */
#ifndef UNP_RPCBIND_H
#define UNP_RPCBIND_H

#include "unp.h"

#include <rpc/rpc.h>

/* *addr is a universal address, empty when there is none; the caller frees it: free(3). */
enum clnt_stat unp_rpcbind_getaddr(CLIENT *rpcbind, rpcprog_t program, rpcvers_t version,
				   const char *netid, char **addr);

/* *done: whether rpcbind did it. It refuses to change what another user has registered. */
enum clnt_stat unp_rpcbind_set(CLIENT *rpcbind, rpcprog_t program, rpcvers_t version,
			       const char *netid, const char *addr, int *done);
enum clnt_stat unp_rpcbind_unset(CLIENT *rpcbind, rpcprog_t program, rpcvers_t version,
				 const char *netid, int *done);

/* All mappings. unp_rpcbind_free frees *list, which may be NULL. */
enum clnt_stat unp_rpcbind_dump(CLIENT *rpcbind, rpcblist **list);
void unp_rpcbind_free(rpcblist *list);

#endif
