package p16rpccalc

import (
	"math"

	"unpipc/gobind/calc"
	"unpipc/gobind/sunrpc"
)

// calculator are the procedures of calc.x.
type calculator struct{}

func (calculator) Apply(_ *sunrpc.Request, op calc.Operation, a, b int32) (int32, error) {
	return apply(op, a, b)
}

func (calculator) Evaluate(_ *sunrpc.Request, expression []calc.Token) (int32, error) {
	return evaluate(expression)
}

func apply(op calc.Operation, a, b int32) (int32, error) {
	x, y := int64(a), int64(b)
	var exact int64
	switch op {
	case calc.Add:
		exact = x + y
	case calc.Subtract:
		exact = x - y
	case calc.Multiply:
		exact = x * y
	case calc.Divide, calc.Remainder:
		if y == 0 {
			return 0, calc.DivisionByZero
		}
		exact = x / y
		if op == calc.Remainder {
			exact = x % y
		}
	default:
		return 0, calc.Malformed
	}
	if exact < math.MinInt32 || exact > math.MaxInt32 {
		return 0, calc.Overflow
	}
	return int32(exact), nil
}

// evaluate is the value of an expression in postfix notation. The first operation that has
// none decides.
func evaluate(expression []calc.Token) (int32, error) {
	var stack []int32
	for _, t := range expression {
		if t.Operation == 0 {
			stack = append(stack, t.Number)
			continue
		}
		top := len(stack) - 2
		if top < 0 {
			return 0, calc.Malformed
		}
		value, err := apply(t.Operation, stack[top], stack[top+1])
		if err != nil {
			return 0, err
		}
		stack = append(stack[:top], value)
	}
	if len(stack) != 1 {
		return 0, calc.Malformed
	}
	return stack[0], nil
}
