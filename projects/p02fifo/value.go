package p02fifo

import (
	"math"
	"math/bits"
	"strconv"
)

// CalcError is why an operation has no result: it is nonsense, or arithmetic
// does not allow it.
type CalcError string

// Error is the reply that a client gets.
func (e CalcError) Error() string { return "error: " + string(e) }

// The errors of arithmetic.
const (
	ErrDivisionByZero CalcError = "division by zero"
	ErrOverflow       CalcError = "overflow"
)

// value is an integer as long as it can be one, else a decimal.
type value struct {
	decimal bool
	i       int64
	f       float64
}

func (v value) float() float64 {
	if v.decimal {
		return v.f
	}
	return float64(v.i)
}

// String prints decimals like C's %.15g: as many digits as a double always keeps.
func (v value) String() string {
	if !v.decimal {
		return strconv.FormatInt(v.i, 10)
	}
	return strconv.FormatFloat(v.f+0, 'g', 15, 64) // no -0
}

// apply is a op b.
func apply(op byte, a, b value) (value, error) {
	x, y := a.float(), b.float()
	if (op == '/' || op == '%') && y == 0 {
		return value{}, ErrDivisionByZero
	}
	if !a.decimal && !b.decimal {
		if r, ok, exact := onIntegers(op, a.i, b.i); exact {
			if !ok {
				return value{}, ErrOverflow
			}
			return value{i: r}, nil
		}
	}
	var r float64
	switch op {
	case '+':
		r = x + y
	case '-':
		r = x - y
	case '*':
		r = x * y
	case '/':
		r = x / y
	case '%':
		r = math.Mod(x, y)
	}
	if math.IsInf(r, 0) {
		return value{}, ErrOverflow
	}
	return value{decimal: true, f: r}, nil
}

// onIntegers is a op b if that is an integer (exact) and has 64 bits (ok).
// b is not 0 for / and %.
func onIntegers(op byte, a, b int64) (r int64, ok, exact bool) {
	switch op {
	case '+':
		r = a + b
		return r, (r > a) == (b > 0), true
	case '-':
		r = a - b
		return r, (r < a) == (b > 0), true
	case '*':
		high, low := bits.Mul64(uint64(a), uint64(b))
		// From the unsigned product to the signed one.
		high -= uint64(a>>63)&uint64(b) + uint64(b>>63)&uint64(a)
		r = int64(low)
		return r, int64(high) == r>>63, true
	case '%':
		return a % b, true, true
	}
	// The smallest integer divided by -1 is itself: one more than the largest.
	return a / b, a != math.MinInt64 || b != -1, a%b == 0
}
