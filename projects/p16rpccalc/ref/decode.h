/* For rpcgen's dispatchers, which do not free what was decoded before the decoding failed. */
#ifndef DECODE_H
#define DECODE_H

#include <rpc/rpc.h>

static bool_t decode_or_free(SVCXPRT *x, xdrproc_t type, caddr_t args)
{
	if (svc_getargs(x, type, args))
		return TRUE;
	svc_freeargs(x, type, args);
	return FALSE;
}
#undef svc_getargs
#define svc_getargs decode_or_free

#endif
