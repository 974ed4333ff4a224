/* What rpcgen makes of calc.x for both sides, spared the warnings that it earns. */
#ifndef STUBS_H
#define STUBS_H

#pragma GCC diagnostic ignored "-Wunused-variable"
#pragma GCC diagnostic ignored "-Wcast-function-type"
#pragma GCC diagnostic ignored "-Wmissing-declarations"

#include "rpcgen/calc_xdr.c"
#ifdef CALC_SERVER
#include "decode.h"
#include "rpcgen/calc_svc.c"
#else
#include "rpcgen/calc_clnt.c"
#endif

#pragma GCC diagnostic warning "-Wunused-variable"
#pragma GCC diagnostic warning "-Wcast-function-type"
#pragma GCC diagnostic warning "-Wmissing-declarations"

#endif
