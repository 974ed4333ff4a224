package calc

/*
#cgo CFLAGS: -I${SRCDIR}/../../capi
#cgo pkg-config: libtirpc
#include "unp_calc.h"
*/
import "C"

import (
	"fmt"

	_ "unpipc/capi"
	_ "unpipc/csrc/calc"
	"unpipc/gobind/sunrpc"
)

// The program, in its two versions.
var (
	V1 = sunrpc.Program{Number: C.CALC_PROG, Version: C.CALC_VERS}
	V2 = sunrpc.Program{Number: C.CALC_PROG, Version: C.CALC_VERS2}
)

// MaxTokens is the length of the longest expression.
const MaxTokens = C.CALC_MAX_TOKENS

// Operation is the number of a procedure of two operands.
type Operation uint32

const (
	Add       Operation = C.ADD
	Subtract  Operation = C.SUBTRACT
	Multiply  Operation = C.MULTIPLY
	Divide    Operation = C.DIVIDE    // towards zero; version 2
	Remainder Operation = C.REMAINDER // with the sign of the first operand; version 2
)

var operationName = map[Operation]string{
	Add: "add", Subtract: "subtract", Multiply: "multiply", Divide: "divide", Remainder: "remainder",
}

func (op Operation) String() string {
	if name := operationName[op]; name != "" {
		return name
	}
	return fmt.Sprintf("operation %d", uint32(op))
}

// Status is why there is no result, which version 2 returns in its place.
type Status int32

const (
	Overflow       Status = C.CALC_OVERFLOW
	DivisionByZero Status = C.CALC_DIVISION_BY_ZERO
	Malformed      Status = C.CALC_MALFORMED
)

var statusText = map[Status]string{
	Overflow: "overflow", DivisionByZero: "division by zero", Malformed: "malformed expression",
}

func (s Status) Error() string {
	if text := statusText[s]; text != "" {
		return text
	}
	return fmt.Sprintf("calculator status %d", int32(s))
}

// Token is a part of an expression in postfix notation: a number, or an operation on the
// two values before it.
type Token struct {
	Operation Operation // 0: Number counts
	Number    int32
}
