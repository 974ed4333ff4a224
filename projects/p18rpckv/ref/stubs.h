/* What rpcgen -C -M makes of kv.x: the messages and, for a server, its dispatcher. */
#ifndef STUBS_H
#define STUBS_H

#pragma GCC diagnostic ignored "-Wunused-variable"
#pragma GCC diagnostic ignored "-Wcast-function-type"
#pragma GCC diagnostic ignored "-Wmissing-declarations"

#include "rpcgen/kv_xdr.c"
#ifdef KV_SERVER
#include "../../p16rpccalc/ref/decode.h"
#include "rpcgen/kv_svc.c"
#endif

#pragma GCC diagnostic warning "-Wunused-variable"
#pragma GCC diagnostic warning "-Wcast-function-type"
#pragma GCC diagnostic warning "-Wmissing-declarations"

#endif
