package calc_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/calc"
	"unpipc/gobind/ipctest"
	"unpipc/gobind/sunrpc"
	"unpipc/gobind/sunrpc/servetest"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

var background = context.Background()

// echo answers with what it was asked.
type echo struct{}

var errBroken = errors.New("out of order")

func (echo) Apply(r *sunrpc.Request, op calc.Operation, a, b int32) (int32, error) {
	switch a {
	case 1:
		return 0, calc.Overflow
	case 2:
		return 0, calc.DivisionByZero
	case 3:
		return 0, errBroken
	case 4:
		return 0, calc.Status(77)
	case 5:
		return 0, calc.Status(0)
	}
	return a*1000 + b*10 + int32(op), nil
}

// Evaluate weighs each token by its place.
func (echo) Evaluate(_ *sunrpc.Request, expression []calc.Token) (int32, error) {
	n := int32(0)
	for i, t := range expression {
		n += int32(i+1) * (t.Number + 1000*int32(t.Operation))
	}
	return n, nil
}

func start(t *testing.T, versions ...uint32) func(version uint32) *calc.Client {
	t.Helper()
	s := sunrpc.NewServer(sunrpc.ServerOptions{})
	calc.Handle(s, echo{}, versions...)
	addr := servetest.Start(t, s, "tcp")
	return func(version uint32) *calc.Client {
		p := sunrpc.Program{Number: calc.V1.Number, Version: version}
		return calc.NewClient(servetest.Dial(t, addr, p), version)
	}
}

func TestEveryOperationGetsItsOperandsAndComesBack(t *testing.T) {
	dial := start(t)
	for version, operations := range map[uint32][]calc.Operation{
		1: {calc.Add, calc.Subtract, calc.Multiply},
		2: {calc.Add, calc.Subtract, calc.Multiply, calc.Divide, calc.Remainder},
	} {
		client := dial(version)
		for _, op := range operations {
			n, err := client.Apply(background, op, 20, -3)
			require.NoError(t, err)
			assert.Equal(t, 20_000-30+int32(op), n, "version %d %s", version, op)
		}
		n, err := client.Apply(background, calc.Add, math.MinInt32, math.MaxInt32)
		require.NoError(t, err)
		minimum, maximum := int32(math.MinInt32), int32(math.MaxInt32)
		assert.Equal(t, minimum*1000+maximum*10+1, n)
	}
	_, err := dial(1).Apply(background, calc.Divide, 20, 3)
	assert.ErrorIs(t, err, sunrpc.ProcedureUnavailable)
	_, err = dial(2).Apply(background, 99, 20, 3)
	assert.ErrorIs(t, err, sunrpc.ProcedureUnavailable)
}

func TestAnExpressionArrivesTokenByToken(t *testing.T) {
	dial := start(t)
	n, err := dial(2).Evaluate(background, []calc.Token{{Number: 5}, {Number: -7}, {Operation: calc.Multiply}})
	require.NoError(t, err)
	assert.EqualValues(t, 5-14+9000, n)
	n, err = dial(2).Evaluate(background, nil)
	require.NoError(t, err)
	assert.Zero(t, n)
	_, err = dial(2).Evaluate(background, make([]calc.Token, calc.MaxTokens+1))
	assert.ErrorIs(t, err, sunrpc.CantEncodeArgs)
	_, err = dial(1).Evaluate(background, nil)
	assert.ErrorIs(t, err, sunrpc.ProcedureUnavailable)
}

func TestWhyThereIsNoResultIsToldByVersionTwoAlone(t *testing.T) {
	dial := start(t)
	for a, want := range map[int32]error{
		1: calc.Overflow, 2: calc.DivisionByZero, 3: sunrpc.SystemError, 4: calc.Status(77), 5: sunrpc.SystemError,
	} {
		_, err := dial(2).Apply(background, calc.Add, a, 0)
		assert.ErrorIs(t, err, want)
		_, err = dial(1).Apply(background, calc.Add, a, 0)
		assert.ErrorIs(t, err, sunrpc.SystemError)
	}
}

func TestAVersionThatIsNotHandledIsNotThere(t *testing.T) {
	dial := start(t, 1)
	_, err := dial(1).Apply(background, calc.Add, 20, 3)
	require.NoError(t, err)
	_, err = dial(2).Apply(background, calc.Add, 20, 3)
	assert.ErrorIs(t, err, sunrpc.VersionMismatch)
}

func TestNamesAreReadable(t *testing.T) {
	assert.Equal(t, "add subtract multiply divide remainder operation 9",
		fmt.Sprint(calc.Add, " ", calc.Subtract, " ", calc.Multiply, " ", calc.Divide, " ", calc.Remainder, " ", calc.Operation(9)))
	assert.EqualError(t, calc.Overflow, "overflow")
	assert.EqualError(t, calc.Status(77), "calculator status 77")
}
