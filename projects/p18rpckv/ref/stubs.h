/* What rpcgen -C -M makes of kv.x: the messages and, for a server, its dispatcher. */
#ifndef STUBS_H
#define STUBS_H

#pragma GCC diagnostic ignored "-Wunused-variable"
#pragma GCC diagnostic ignored "-Wcast-function-type"
#pragma GCC diagnostic ignored "-Wmissing-declarations"

#include "rpcgen/kv_xdr.c"
#ifdef KV_SERVER
/* The dispatcher does not free what was decoded before the decoding failed. */
static bool_t decode_or_free(SVCXPRT *x, xdrproc_t type, caddr_t args)
{
	if (svc_getargs(x, type, args))
		return TRUE;
	svc_freeargs(x, type, args);
	return FALSE;
}
#undef svc_getargs
#define svc_getargs decode_or_free
#include "rpcgen/kv_svc.c"
#endif

#pragma GCC diagnostic warning "-Wunused-variable"
#pragma GCC diagnostic warning "-Wcast-function-type"
#pragma GCC diagnostic warning "-Wmissing-declarations"

#endif
