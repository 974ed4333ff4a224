package calc

/*
#include "unp_calc.h"
*/
import "C"

import (
	"context"
	"fmt"
	"runtime"
	"unsafe"

	"unpipc/gobind/sunrpc"
)

// Client calls a calculator.
type Client struct {
	caller  sunrpc.Caller
	version uint32
}

// NewClient makes a client of version 1 or 2 over connections that were dialled to [V1]
// or [V2].
func NewClient(c sunrpc.Caller, version uint32) *Client { return &Client{c, version} }

// Apply has one operation calculated. Errors: a [Status] (version 2); those of
// [sunrpc.Client.Call]; sunrpc.ProcedureUnavailable for an operation that the version does
// not have.
func (c *Client) Apply(ctx context.Context, op Operation, a, b int32) (int32, error) {
	args := C.operands{a: C.int(a), b: C.int(b)}
	if c.version == 1 {
		var result C.int
		err := c.caller.Call(ctx, func(h sunrpc.Handle) sunrpc.Status {
			handle := (*C.CLIENT)(h)
			switch op {
			case Add:
				return sunrpc.Status(C.add_1(&args, &result, handle))
			case Subtract:
				return sunrpc.Status(C.subtract_1(&args, &result, handle))
			case Multiply:
				return sunrpc.Status(C.multiply_1(&args, &result, handle))
			}
			return sunrpc.ProcedureUnavailable
		})
		return int32(result), err
	}
	var result C.calc_result
	err := c.caller.Call(ctx, func(h sunrpc.Handle) sunrpc.Status {
		handle := (*C.CLIENT)(h)
		switch op {
		case Add:
			return sunrpc.Status(C.add_2(&args, &result, handle))
		case Subtract:
			return sunrpc.Status(C.subtract_2(&args, &result, handle))
		case Multiply:
			return sunrpc.Status(C.multiply_2(&args, &result, handle))
		case Divide:
			return sunrpc.Status(C.divide_2(&args, &result, handle))
		case Remainder:
			return sunrpc.Status(C.remainder_2(&args, &result, handle))
		}
		return sunrpc.ProcedureUnavailable
	})
	return value(&result, err)
}

// Evaluate has an expression of at most [MaxTokens] calculated, by version 2. Errors as
// for [Client.Apply], and [Malformed].
func (c *Client) Evaluate(ctx context.Context, expression []Token) (int32, error) {
	if c.version == 1 {
		return 0, fmt.Errorf("evaluate: %w in version 1", sunrpc.ProcedureUnavailable)
	}
	tokens := make([]C.token, len(expression))
	for i, t := range expression {
		number := (*C.int)(unsafe.Pointer(&tokens[i].token_u))
		tokens[i].kind, *number = C.TOKEN_NUMBER, C.int(t.Number)
		if t.Operation != 0 {
			tokens[i].kind, *number = C.TOKEN_OPERATOR, C.int(t.Operation)
		}
	}
	args := C.expression{expression_len: C.u_int(len(tokens))}
	if len(tokens) > 0 {
		var pin runtime.Pinner
		defer pin.Unpin()
		pin.Pin(&tokens[0])
		args.expression_val = &tokens[0]
	}
	var result C.calc_result
	err := c.caller.Call(ctx, func(h sunrpc.Handle) sunrpc.Status {
		return sunrpc.Status(C.evaluate_2(&args, &result, (*C.CLIENT)(h)))
	})
	return value(&result, err)
}

func value(r *C.calc_result, err error) (int32, error) {
	if err != nil {
		return 0, err
	}
	if r.status != C.CALC_OK {
		return 0, Status(r.status)
	}
	return int32(*(*C.int)(unionOf(r))), nil
}
