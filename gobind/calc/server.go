package calc

/*
#include "unp_calc.h"
*/
import "C"

import (
	"errors"
	"slices"
	"unsafe"

	"unpipc/gobind/sunrpc"
)

// Calculator is what a server does. Its methods are called on several goroutines.
type Calculator interface {
	Apply(r *sunrpc.Request, op Operation, a, b int32) (int32, error)
	Evaluate(r *sunrpc.Request, expression []Token) (int32, error)
}

// Handle adds the program to a server: the versions that are named, or both.
func Handle(s *sunrpc.Server, c Calculator, versions ...uint32) {
	for _, service := range Services(c) {
		if len(versions) == 0 || slices.Contains(versions, service.Program.Version) {
			s.Handle(service)
		}
	}
}

// Services are both versions, for a server that gives the program another number. A
// [Status] that c returns is the result of version 2; other errors refuse the call, and
// with version 1 each does.
func Services(c Calculator) []sunrpc.Service {
	apply := func(r *sunrpc.Request, o *C.operands) (int32, error) {
		return c.Apply(r, Operation(r.Proc()), int32(o.a), int32(o.b))
	}
	return []sunrpc.Service{
		{Program: V1, Dispatch: C.calc_prog_1,
			Call: func(r *sunrpc.Request, args, result unsafe.Pointer) error {
				n, err := apply(r, (*C.operands)(args))
				*(*C.int)(result) = C.int(n)
				return err
			}},
		{Program: V2, Dispatch: C.calc_prog_2,
			Call: func(r *sunrpc.Request, args, result unsafe.Pointer) error {
				var n int32
				var err error
				if r.Proc() == C.EVALUATE {
					n, err = evaluate(c, r, (*C.expression)(args))
				} else {
					n, err = apply(r, (*C.operands)(args))
				}
				return answer((*C.calc_result)(result), n, err)
			}},
	}
}

func evaluate(c Calculator, r *sunrpc.Request, e *C.expression) (int32, error) {
	expression := make([]Token, 0, e.expression_len)
	for _, t := range unsafe.Slice(e.expression_val, e.expression_len) {
		n := *(*C.int)(unsafe.Pointer(&t.token_u))
		if t.kind == C.TOKEN_NUMBER {
			expression = append(expression, Token{Number: int32(n)})
			continue
		}
		if n <= 0 {
			return 0, Malformed // 0 would be taken for a number
		}
		expression = append(expression, Token{Operation: Operation(n)})
	}
	return c.Evaluate(r, expression)
}

func answer(r *C.calc_result, n int32, err error) error {
	var status Status
	switch {
	case err == nil:
		*(*C.int)(unionOf(r)) = C.int(n)
	case errors.As(err, &status) && status != C.CALC_OK:
		r.status = C.calc_status(status)
	default:
		return err
	}
	return nil
}

func unionOf(r *C.calc_result) unsafe.Pointer { return unsafe.Pointer(&r.calc_result_u) }
