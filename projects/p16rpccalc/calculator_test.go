package p16rpccalc

import (
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/calc"
)

// edges are operands at which something happens.
var edges = []int32{math.MinInt32, math.MinInt32 + 1, -65536, -46341, -46340, -7, -2, -1, 0, 1, 2, 7, 46340, 46341, 65536, math.MaxInt32 - 1, math.MaxInt32}

// operand is an edge as often as not.
func operand(rng *rand.Rand) int32 {
	if rng.IntN(2) == 0 {
		return edges[rng.IntN(len(edges))]
	}
	return int32(rng.Uint32())
}

func TestResultsAreThoseOfUnboundedIntegersOrErrors(t *testing.T) {
	exact := map[calc.Operation]func(z, x, y *big.Int) *big.Int{
		calc.Add: (*big.Int).Add, calc.Subtract: (*big.Int).Sub, calc.Multiply: (*big.Int).Mul,
		calc.Divide: (*big.Int).Quo, calc.Remainder: (*big.Int).Rem,
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		op := operations[rng.IntN(len(operations))]
		a, b := operand(rng), operand(rng)
		got, err := apply(op, a, b)
		if b == 0 && (op == calc.Divide || op == calc.Remainder) {
			require.Equal(t, calc.DivisionByZero, err)
			continue
		}
		want := exact[op](new(big.Int), big.NewInt(int64(a)), big.NewInt(int64(b)))
		if want.IsInt64() && want.Int64() == int64(int32(want.Int64())) {
			require.NoError(t, err, "%v %d %d", op, a, b)
			require.Equal(t, int32(want.Int64()), got, "%v %d %d", op, a, b)
		} else {
			require.Equal(t, calc.Overflow, err, "%v %d %d", op, a, b)
		}
	}
}

func TestExpressions(t *testing.T) {
	for text, want := range map[string]any{
		"7":                      int32(7),
		"1 2 + 3 *":              int32(9),
		"1 2 3 * +":              int32(7),
		"10 3 - 2 -":             int32(5),
		"-7 2 / -7 2 % +":        int32(-4),
		"":                       calc.Malformed,
		"+":                      calc.Malformed,
		"1 +":                    calc.Malformed,
		"1 2":                    calc.Malformed,
		"1 0 /":                  calc.DivisionByZero,
		"1 0 %":                  calc.DivisionByZero,
		"2147483647 1 + 1 -":     calc.Overflow,
		"2147483647 1 + + +":     calc.Overflow, // before the expression is found malformed
		"1 2 2 - / 2147483647 +": calc.DivisionByZero,
	} {
		q, err := Parse([]string{"evaluate", text})
		require.NoError(t, err, text)
		got, err := evaluate(q.expression)
		if err != nil {
			assert.Equal(t, want, err, text)
		} else {
			assert.Equal(t, want, got, text)
		}
	}
	_, err := evaluate([]calc.Token{{Number: 1}, {Number: 2}, {Operation: 6}})
	assert.Equal(t, calc.Malformed, err, "EVALUATE is no operator")
}

func TestQuestions(t *testing.T) {
	for text, wrong := range map[string]string{
		"add 5 3":                               "",
		"remainder -2147483648 -1":              "",
		"evaluate 1 2 +":                        "",
		"evaluate":                              "", // for the server to refuse
		"evaluate " + strings.Repeat("1 ", 256): "",
		"":                                      "the operation is",
		"Add 5 3":                               "the operation is",
		"add 5":                                 "add wants two numbers",
		"add 5 3 1":                             "add wants two numbers",
		"add 5 2147483648":                      "2147483648 is no 32-bit integer",
		"add 5 0x3":                             "0x3 is no 32-bit integer",
		"evaluate 1 2 plus":                     "plus is no 32-bit integer",
		"evaluate 1 2 +-":                       "+- is no 32-bit integer",
		"evaluate " + strings.Repeat("1 ", 257) + "": "more than 256",
	} {
		_, err := Parse(strings.Fields(text))
		if wrong == "" {
			assert.NoError(t, err, text)
		} else {
			assert.ErrorContains(t, err, wrong, text)
		}
	}
}

// The references, those of exercise 17 too, have stubs of their own, as rpcgen makes them
// without flags; the Go bindings have those of rpcgen -M.
func TestTheStubsOfTheReferencesAreThoseOfTheInterface(t *testing.T) {
	for name, folder := range map[string]string{"calc": "ref/rpcgen", "keyserv": "../p17rpcauth/ref/rpcgen"} {
		dir := t.TempDir()
		interfaceFile, err := os.ReadFile("../../capi/" + name + ".x")
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name+".x"), interfaceFile, 0o600))
		for flag, end := range map[string]string{"-h": ".h", "-c": "_xdr.c", "-l": "_clnt.c", "-m": "_svc.c"} {
			cmd := exec.Command("rpcgen", flag, "-o", name+end, name+".x")
			cmd.Dir = dir
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, "%s", out)
			want, err := os.ReadFile(filepath.Join(dir, name+end))
			require.NoError(t, err)
			have, err := os.ReadFile(filepath.Join(folder, name+end))
			require.NoError(t, err)
			assert.Equal(t, string(want), string(have), "rpcgen %s -o %s%s %s.x makes another one", flag, name, end, name)
		}
	}
}
