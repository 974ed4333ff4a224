/* The procedures of calc.x. */
#ifndef PROCEDURES_H
#define PROCEDURES_H

#include <stdint.h>

#define CALC_SERVER
#include "stubs.h"

static calc_result result_of(int64_t exact)
{
	if (exact < INT32_MIN || exact > INT32_MAX)
		return (calc_result){ .status = CALC_OVERFLOW };
	return (calc_result){ .status = CALC_OK, .calc_result_u.value = (int)exact };
}

static calc_result compute(int procedure, int64_t a, int64_t b)
{
	switch (procedure) {
	case ADD:
		return result_of(a + b);
	case SUBTRACT:
		return result_of(a - b);
	case MULTIPLY:
		return result_of(a * b);
	case DIVIDE:
	case REMAINDER:
		if (b == 0)
			return (calc_result){ .status = CALC_DIVISION_BY_ZERO };
		return result_of(procedure == DIVIDE ? a / b : a % b);
	}
	return (calc_result){ .status = CALC_MALFORMED };
}

/* rpcgen's dispatcher sends the result after the return, so it is in static memory. */
static calc_result *answer(calc_result r)
{
	static calc_result kept;

	kept = r;
	return &kept;
}

/* In version 1 there is no result that is no int: the call fails, and NULL sends no more. */
static int *answer_int(calc_result r, struct svc_req *call)
{
	static int kept;

	if (r.status != CALC_OK) {
		svcerr_systemerr(call->rq_xprt);
		return NULL;
	}
	kept = r.calc_result_u.value;
	return &kept;
}

int *add_1_svc(operands *o, struct svc_req *call)
{
	return answer_int(compute(ADD, o->a, o->b), call);
}

int *subtract_1_svc(operands *o, struct svc_req *call)
{
	return answer_int(compute(SUBTRACT, o->a, o->b), call);
}

int *multiply_1_svc(operands *o, struct svc_req *call)
{
	return answer_int(compute(MULTIPLY, o->a, o->b), call);
}

calc_result *add_2_svc(operands *o, struct svc_req *call)
{
	return answer(compute((int)call->rq_proc, o->a, o->b));
}

calc_result *subtract_2_svc(operands *o, struct svc_req *call)
{
	return answer(compute((int)call->rq_proc, o->a, o->b));
}

calc_result *multiply_2_svc(operands *o, struct svc_req *call)
{
	return answer(compute((int)call->rq_proc, o->a, o->b));
}

calc_result *divide_2_svc(operands *o, struct svc_req *call)
{
	return answer(compute((int)call->rq_proc, o->a, o->b));
}

calc_result *remainder_2_svc(operands *o, struct svc_req *call)
{
	return answer(compute((int)call->rq_proc, o->a, o->b));
}

calc_result *evaluate_2_svc(expression *e, struct svc_req *call)
{
	calc_result stack[CALC_MAX_TOKENS], malformed = { .status = CALC_MALFORMED };
	int depth = 0;

	(void)call;
	for (u_int i = 0; i < e->expression_len; i++) {
		const token *t = &e->expression_val[i];

		if (t->kind == TOKEN_NUMBER) {
			stack[depth++] = result_of(t->token_u.number);
			continue;
		}
		if (depth < 2)
			return answer(malformed);
		depth--;
		stack[depth - 1] = compute(t->token_u.operation, stack[depth - 1].calc_result_u.value,
			stack[depth].calc_result_u.value);
		if (stack[depth - 1].status != CALC_OK)
			return answer(stack[depth - 1]);
	}
	return answer(depth == 1 ? stack[0] : malformed);
}

#endif
