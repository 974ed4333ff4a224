package sunrpc_test

import (
	"context"
	"net"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/calc"
	"unpipc/gobind/sunrpc"
)

// calculator does what apply says; without, it adds.
type calculator struct {
	apply func(r *sunrpc.Request, op calc.Operation, a, b int32) (int32, error)
	calls atomic.Int64
}

func (c *calculator) Apply(r *sunrpc.Request, op calc.Operation, a, b int32) (int32, error) {
	c.calls.Add(1)
	if c.apply != nil {
		return c.apply(r, op, a, b)
	}
	return a + b, nil
}

func (c *calculator) Evaluate(_ *sunrpc.Request, expression []calc.Token) (int32, error) {
	var sum int32
	for _, t := range expression {
		if t.Operation != 0 {
			return 0, calc.Malformed
		}
		sum += t.Number
	}
	return sum, nil
}

// serving is a server that runs until the end of the test, or of stop.
type serving struct {
	*sunrpc.Server
	addr net.Addr
	stop func() error
}

func listenAddr(t testing.TB, network string) string {
	if network == "unix" {
		return filepath.Join(t.TempDir(), "s")
	}
	return "127.0.0.1:0"
}

// start serves c on a new address.
func start(t testing.TB, network string, c calc.Calculator, o sunrpc.ServerOptions, versions ...uint32) *serving {
	t.Helper()
	s := &serving{Server: sunrpc.NewServer(o)}
	calc.Handle(s.Server, c, versions...)
	var err error
	s.addr, err = s.Listen(network, listenAddr(t, network))
	require.NoError(t, err)
	s.run(t)
	return s
}

func (s *serving) run(t testing.TB) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	stopped := false
	s.stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		return <-done
	}
	t.Cleanup(func() { assert.NoError(t, s.stop()) })
}

// dial connects to a server, as version 2 unless p says otherwise.
func (s *serving) dial(t testing.TB, o sunrpc.Options, p ...sunrpc.Program) *sunrpc.Client {
	t.Helper()
	program := calc.V2
	if len(p) > 0 {
		program = p[0]
	}
	c, err := sunrpc.Dial(context.Background(), s.addr.Network(), s.addr.String(), program, o)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Close()) })
	return c
}

var background = context.Background()

// patience is for what must not hang.
const patience = 30 * time.Second

func TestAProcedureIsCalledOverEveryTransport(t *testing.T) {
	for _, network := range []string{"tcp", "udp", "unix"} {
		t.Run(network, func(t *testing.T) {
			s := start(t, network, &calculator{}, sunrpc.ServerOptions{})
			for _, p := range []sunrpc.Program{calc.V1, calc.V2} {
				c := s.dial(t, sunrpc.Options{}, p)
				require.NoError(t, c.Null(background))
				n, err := calc.NewClient(c, p.Version).Apply(background, calc.Add, 5, 3)
				require.NoError(t, err)
				assert.EqualValues(t, 8, n)
			}
			n, err := calc.NewClient(s.dial(t, sunrpc.Options{}), 2).
				Evaluate(background, []calc.Token{{Number: 1}, {Number: 2}, {Number: -10}})
			require.NoError(t, err)
			assert.EqualValues(t, -7, n)
		})
	}
}
