#include "unp_rpcbind.h"

#include <rpc/rpcb_prot.h>
#include <stdlib.h>

/* The handle's own time-out counts. */
static struct timeval unused = {.tv_sec = 25};

static bool_t no_value(XDR *xdrs, ...)
{
	(void)xdrs;
	return TRUE;
}

static RPCB mapping(rpcprog_t program, rpcvers_t version, const char *netid, const char *addr)
{
	return (RPCB){
		.r_prog = program,
		.r_vers = version,
		.r_netid = (char *)netid,
		.r_addr = (char *)addr,
		.r_owner = "", /* rpcbind puts in who asks */
	};
}

enum clnt_stat unp_rpcbind_getaddr(CLIENT *rpcbind, rpcprog_t program, rpcvers_t version,
				   const char *netid, char **addr)
{
	RPCB which = mapping(program, version, netid, "");

	*addr = NULL;
	return clnt_call(rpcbind, RPCBPROC_GETADDR, (xdrproc_t)xdr_rpcb, (char *)&which,
			 (xdrproc_t)xdr_wrapstring, (char *)addr, unused);
}

enum clnt_stat unp_rpcbind_set(CLIENT *rpcbind, rpcprog_t program, rpcvers_t version,
			       const char *netid, const char *addr, int *done)
{
	RPCB which = mapping(program, version, netid, addr);

	*done = FALSE;
	return clnt_call(rpcbind, RPCBPROC_SET, (xdrproc_t)xdr_rpcb, (char *)&which,
			 (xdrproc_t)xdr_bool, (char *)done, unused);
}

enum clnt_stat unp_rpcbind_unset(CLIENT *rpcbind, rpcprog_t program, rpcvers_t version,
				 const char *netid, int *done)
{
	RPCB which = mapping(program, version, netid, "");

	*done = FALSE;
	return clnt_call(rpcbind, RPCBPROC_UNSET, (xdrproc_t)xdr_rpcb, (char *)&which,
			 (xdrproc_t)xdr_bool, (char *)done, unused);
}

enum clnt_stat unp_rpcbind_dump(CLIENT *rpcbind, rpcblist **list)
{
	*list = NULL;
	return clnt_call(rpcbind, RPCBPROC_DUMP, no_value, NULL, (xdrproc_t)xdr_rpcblist_ptr,
			 (char *)list, unused);
}

void unp_rpcbind_free(rpcblist *list)
{
	xdr_free((xdrproc_t)xdr_rpcblist_ptr, (char *)&list);
}
