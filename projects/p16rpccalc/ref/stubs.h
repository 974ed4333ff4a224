/* What rpcgen makes of calc.x for both sides, spared the warnings that it earns. */
#ifndef STUBS_H
#define STUBS_H

#pragma GCC diagnostic ignored "-Wunused-variable"
#pragma GCC diagnostic ignored "-Wcast-function-type"
#pragma GCC diagnostic ignored "-Wmissing-declarations"

#include "rpcgen/calc_xdr.c"
#ifdef CALC_SERVER
/* rpcgen's dispatcher does not free what was decoded before the decoding failed. */
static bool_t decode_or_free(SVCXPRT *x, xdrproc_t type, caddr_t args)
{
	if (svc_getargs(x, type, args))
		return TRUE;
	svc_freeargs(x, type, args);
	return FALSE;
}
#undef svc_getargs
#define svc_getargs decode_or_free
#include "rpcgen/calc_svc.c"
#else
#include "rpcgen/calc_clnt.c"
#endif

#pragma GCC diagnostic warning "-Wunused-variable"
#pragma GCC diagnostic warning "-Wcast-function-type"
#pragma GCC diagnostic warning "-Wmissing-declarations"

#endif
