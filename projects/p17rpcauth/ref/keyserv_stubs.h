/* What rpcgen makes of keyserv.x, spared the warnings that it earns. */
#ifndef KEYSERV_STUBS_H
#define KEYSERV_STUBS_H

#pragma GCC diagnostic ignored "-Wunused-variable"
#pragma GCC diagnostic ignored "-Wcast-function-type"
#pragma GCC diagnostic ignored "-Wmissing-declarations"

#include "rpcgen/keyserv_xdr.c"
#define TIMEOUT keyserv_timeout /* calc.x's has the same name */
#include "rpcgen/keyserv_clnt.c"
#undef TIMEOUT
#ifdef KEYSERV_SERVER
#include "../../p16rpccalc/ref/decode.h"
#include "rpcgen/keyserv_svc.c"
#endif

#pragma GCC diagnostic warning "-Wunused-variable"
#pragma GCC diagnostic warning "-Wcast-function-type"
#pragma GCC diagnostic warning "-Wmissing-declarations"

#endif
