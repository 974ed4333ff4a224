#include "unp_kv.h"
#include "unp_sunrpc_server.h"

UNP_SUNRPC_PROCEDURE(kv_put_1_svc, kv_put_args, kv_write_result)
UNP_SUNRPC_PROCEDURE(kv_get_1_svc, kv_get_args, kv_get_result)
UNP_SUNRPC_PROCEDURE(kv_delete_1_svc, kv_delete_args, kv_write_result)
UNP_SUNRPC_PROCEDURE(kv_cas_1_svc, kv_cas_args, kv_write_result)
UNP_SUNRPC_PROCEDURE(kv_list_1_svc, kv_list_args, kv_list_result)
UNP_SUNRPC_PROCEDURE(kv_watch_1_svc, kv_watch_args, kv_watch_result)
UNP_SUNRPC_PROCEDURE(kv_status_1_svc, void, kv_state)
UNP_SUNRPC_PROCEDURE(kv_member_1_svc, kv_member_args, kv_member_result)
UNP_SUNRPC_FREERESULT(kv_prog_1_freeresult)
