#include "unp_calc.h"
#include "unp_sunrpc_server.h"

UNP_SUNRPC_PROCEDURE(add_1_svc, operands, int)
UNP_SUNRPC_PROCEDURE(subtract_1_svc, operands, int)
UNP_SUNRPC_PROCEDURE(multiply_1_svc, operands, int)
UNP_SUNRPC_FREERESULT(calc_prog_1_freeresult)

UNP_SUNRPC_PROCEDURE(add_2_svc, operands, calc_result)
UNP_SUNRPC_PROCEDURE(subtract_2_svc, operands, calc_result)
UNP_SUNRPC_PROCEDURE(multiply_2_svc, operands, calc_result)
UNP_SUNRPC_PROCEDURE(divide_2_svc, operands, calc_result)
UNP_SUNRPC_PROCEDURE(remainder_2_svc, operands, calc_result)
UNP_SUNRPC_PROCEDURE(evaluate_2_svc, expression, calc_result)
UNP_SUNRPC_FREERESULT(calc_prog_2_freeresult)
