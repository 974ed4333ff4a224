package p02fifo

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEvaluate(t *testing.T) {
	for _, c := range []struct{ name, operation, want string }{
		{"a sum", "5 + 3", "8"},
		{"blanks do not matter", "\t5+3  ", "8"},
		{"products bind more tightly than sums", "2 + 3 * 4 - 10 / 5", "12"},
		{"operators of one rank go from left to right", "100 / 10 / 5 - 3 - 2", "-3"},
		{"% is of the rank of *", "2 * 7 % 4", "2"},
		{"parentheses come first", "(2 + 3) * (4 - 1)", "15"},
		{"a minus before a number", "-3 + 5", "2"},
		{"a minus before a parenthesis", "-(3 + 5)", "-8"},
		{"a minus before a minus", "1 - --2", "-1"},
		{"a minus binds more tightly than %", "-7 % 3", "-1"},
		{"an even division is an integer", "6 / 3", "2"},
		{"an uneven division is a decimal", "7 / 2", "3.5"},
		{"a remainder has the sign of its left side", "7 % -3", "1"},
		{"a remainder of decimals", "-7.5 % 2", "-1.5"},
		{"a decimal that is whole shows no point", "2.5 * 2", "5"},
		{"a decimal shows 15 digits", "2 / 3", "0.666666666666667"},
		{"a large decimal has an exponent", "1e15 * 10", "1e+16"},
		{"a small decimal has an exponent", "1 / 100000.", "1e-05"},
		{"fifteen digits before the point have none", "123456789012345 * 1.0", "123456789012345"},
		{"a number may begin with its point", ".5 + .25", "0.75"},
		{"a number may end with its point", "2. * 3", "6"},
		{"an exponent makes a decimal", "1e3 / 3 * 3", "1000"},
		{"leading zeros do not make it octal", "010 + 1", "11"},
		{"no decimal is minus zero", "0 * -1.5", "0"},
		{"a decimal too small is zero", "1e-400", "0"},
		{"the largest integer", "9223372036854775806 + 1", "9223372036854775807"},
		{"the smallest integer", "-9223372036854775808", "-9223372036854775808"},
		{"the smallest integer by subtraction", "-9223372036854775807 - 1", "-9223372036854775808"},
		{"the smallest integer divided by one", "-9223372036854775808 / 1", "-9223372036854775808"},
		{"the remainder of the smallest integer by -1", "-9223372036854775808 % -1", "0"},
		{"decimals go where integers cannot", "9223372036854775807 * 2.0", "1.84467440737096e+19"},
		{"depth is counted where it is, not over the line", strings.Repeat("(1)+", 500) + "1", "501"},
		{"the deepest nesting", strings.Repeat("(", MaxDepth) + "1" + strings.Repeat(")", MaxDepth), "1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Evaluate(c.operation)
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
		})
	}
}

func TestEvaluateRefuses(t *testing.T) {
	for _, c := range []struct{ name, operation, want string }{
		{"division by the integer zero", "1 / 0", "division by zero"},
		{"division by a decimal zero", "1 / (0.5 - 0.5)", "division by zero"},
		{"remainder of division by zero", "1 % 0", "division by zero"},
		{"a sum over 64 bits", "9223372036854775807 + 1", "overflow"},
		{"a difference under 64 bits", "-9223372036854775807 - 2", "overflow"},
		{"a product over 64 bits", "3037000500 * 3037000500", "overflow"},
		{"a product of two negatives over 64 bits", "-3037000500 * -3037000500", "overflow"},
		{"the smallest integer divided by -1", "-9223372036854775808 / -1", "overflow"},
		{"the smallest integer negated", "--9223372036854775808", "overflow"},
		{"an integer of more than 64 bits", "9223372036854775808", "overflow"},
		{"a decimal over the largest double", "1e308 * 10", "overflow"},
		{"a number over the largest double", "1e309", "overflow"},
		{"nothing", "", "unexpected end at 1"},
		{"blanks only", "  ", "unexpected end at 3"},
		{"a missing right side", "2 +", "unexpected end at 4"},
		{"a missing left side", "* 2", "unexpected '*' at 1"},
		{"two numbers", "2 2", "unexpected '2' at 3"},
		{"an open parenthesis", "(2 + 3", "unexpected end at 7"},
		{"a closed one too many", "2 + 3)", "unexpected ')' at 6"},
		{"empty parentheses", "()", "unexpected ')' at 2"},
		{"a plus before a number", "+1", "unexpected '+' at 1"},
		{"words", "two", "unexpected 't' at 1"},
		{"a hexadecimal number", "0x10", "unexpected 'x' at 2"},
		{"a second point", "1.2.3", "unexpected '.' at 4"},
		{"a point alone", ".", "unexpected '.' at 1"},
		{"an exponent without digits", "2e+", "unexpected 'e' at 2"},
		{"infinity by name", "inf", "unexpected 'i' at 1"},
		{"a NUL byte", "1\x00", "unexpected '\\x00' at 2"},
		{"a byte that is no ASCII", "1 × 2", "unexpected '\\xc3' at 3"},
		{"a backslash", `1\2`, `unexpected '\\' at 2`},
		{"parentheses nested too deeply", strings.Repeat("(", 4000), "nested too deeply"},
		{"signs nested too deeply", strings.Repeat("-", 4000) + "1", "nested too deeply"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Evaluate(c.operation)
			assert.Equal(t, CalcError(c.want), err)
			assert.Empty(t, got)
		})
	}
}

// FuzzEvaluate checks that nothing makes it fail otherwise than by a CalcError,
// and that what it prints is what it reads.
func FuzzEvaluate(f *testing.F) {
	for _, seed := range []string{"5 + 3", "-(1.5e3 % 7) / 2", "((", "1e999", "9223372036854775808", "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, operation string) {
		result, err := Evaluate(operation)
		if err != nil {
			require.IsType(t, CalcError(""), err)
			return
		}
		again, err := Evaluate(result)
		if strings.HasSuffix(result, "e+308") {
			return // 15 digits of the largest doubles may be rounded up beyond them
		}
		require.NoError(t, err, result)
		require.Equal(t, result, again)
	})
}

// TestIntegersAgainstBig compares with arithmetic that has neither this parser
// nor a number of bits.
func TestIntegersAgainstBig(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 7))
	answered := 0
	for range 20000 {
		text, want := randomInteger(random, 4)
		got, err := Evaluate(text)
		switch {
		case want == nil:
			require.Error(t, err, text)
		default:
			require.NoError(t, err, text)
			require.Equal(t, want.String(), got, text)
			answered++
		}
	}
	assert.Greater(t, answered, 5000, "most of the expressions must have a result")
}

// randomInteger makes an expression of integers and its value; nil when that, or
// what it is made of, does not fit into 64 bits.
func randomInteger(random *rand.Rand, depth int) (string, *big.Int) {
	if depth == 0 || random.IntN(4) == 0 {
		n := new(big.Int).SetUint64(random.Uint64() >> (1 + random.IntN(63)))
		return n.String(), n
	}
	left, a := randomInteger(random, depth-1)
	right, b := randomInteger(random, depth-1)
	op := "+-*%"[random.IntN(4)]
	text := fmt.Sprintf("(%s)%c(%s)", left, op, right)
	if random.IntN(3) == 0 {
		text = fmt.Sprintf("-(%s)", text)
	}
	if a == nil || b == nil || op == '%' && b.Sign() == 0 {
		return text, nil
	}
	v := new(big.Int)
	switch op {
	case '+':
		v.Add(a, b)
	case '-':
		v.Sub(a, b)
	case '*':
		v.Mul(a, b)
	case '%':
		v.Rem(a, b)
	}
	if !v.IsInt64() {
		return text, nil
	}
	if strings.HasPrefix(text, "-") {
		v.Neg(v)
	}
	if !v.IsInt64() {
		return text, nil
	}
	return text, v
}
