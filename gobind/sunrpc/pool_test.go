package sunrpc_test

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/calc"
	"unpipc/gobind/sunrpc"
)

func TestAPoolReplacesConnectionsThatTheServerHasClosed(t *testing.T) {
	var s *serving
	dialled := 0
	pool := sunrpc.NewPool(1, func(ctx context.Context) (*sunrpc.Client, error) {
		dialled++
		return sunrpc.Dial(ctx, "tcp", s.addr.String(), calc.V2, sunrpc.Options{})
	})
	defer pool.Close()
	for range 3 {
		s = start(t, "tcp", &calculator{}, sunrpc.ServerOptions{})
		for range 2 {
			_, err := calc.NewClient(pool, 2).Apply(background, calc.Add, 1, 1)
			require.NoError(t, err)
		}
		require.NoError(t, s.stop())
	}
	assert.Equal(t, 3, dialled)
}

func TestAPoolMakesAsManyCallsAtATimeAsItHasConnections(t *testing.T) {
	g := newGate()
	s := start(t, "unix", g, sunrpc.ServerOptions{})
	pool := sunrpc.NewPool(3, func(ctx context.Context) (*sunrpc.Client, error) {
		return sunrpc.Dial(ctx, "unix", s.addr.String(), calc.V2, sunrpc.Options{})
	})
	var calling sync.WaitGroup
	for range 10 {
		calling.Go(func() {
			_, err := calc.NewClient(pool, 2).Apply(background, calc.Add, 1, 1)
			assert.NoError(t, err)
		})
	}
	for range 3 {
		<-g.begun
	}
	ctx, cancel := context.WithTimeout(background, time.Millisecond)
	defer cancel()
	assert.Equal(t, context.DeadlineExceeded, pool.Call(ctx, nil), "all are in use")
	close(g.pass)
	calling.Wait()
	assert.EqualValues(t, 10, g.calls.Load())
	require.NoError(t, pool.Close())
	assert.ErrorIs(t, pool.Call(background, nil), net.ErrClosed)
}
