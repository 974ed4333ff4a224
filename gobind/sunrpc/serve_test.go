package sunrpc_test

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/calc"
	"unpipc/gobind/ipctest"
	"unpipc/gobind/sunrpc"
)

func TestManyClientsAreServedAtTheSameTime(t *testing.T) {
	clients, calls := 200, 20
	if raceDetector {
		clients = 40
	}
	s := start(t, "tcp", &calculator{}, sunrpc.ServerOptions{})
	var ready, all sync.WaitGroup
	ready.Add(clients)
	for i := range clients {
		all.Go(func() {
			c, err := sunrpc.Dial(background, "tcp", s.addr.String(), calc.V2, sunrpc.Options{Timeout: time.Minute})
			ready.Done()
			if !assert.NoError(t, err) {
				return
			}
			defer c.Close()
			ready.Wait() // so that all of them are connected
			for j := range calls {
				n, err := calc.NewClient(c, 2).Apply(background, calc.Add, int32(i), int32(j))
				assert.NoError(t, err)
				assert.EqualValues(t, i+j, n)
			}
		})
	}
	all.Wait()
}

func TestACallInProgressIsAnsweredWhenTheServerEnds(t *testing.T) {
	for _, network := range []string{"tcp", "udp", "unix"} {
		t.Run(network, func(t *testing.T) {
			g := newGate()
			s := start(t, network, g, sunrpc.ServerOptions{Grace: time.Hour})
			c := s.dial(t, sunrpc.Options{Timeout: patience, Retry: time.Hour})
			idle := s.raw(t)
			var calling sync.WaitGroup
			calling.Go(func() {
				n, err := calc.NewClient(c, 2).Apply(background, calc.Add, 40, 2)
				assert.NoError(t, err)
				assert.EqualValues(t, 42, n)
			})
			<-g.begun
			stopped := make(chan error)
			go func() { stopped <- s.stop() }()
			if network != "udp" {
				require.NoError(t, idle.SetReadDeadline(time.Now().Add(patience)))
				_, err := idle.Read(make([]byte, 1))
				assert.Error(t, err, "an idle connection is closed")
			}
			close(g.pass)
			calling.Wait()
			require.NoError(t, <-stopped)
			if network == "unix" {
				_, err := os.Lstat(s.addr.String())
				assert.ErrorIs(t, err, os.ErrNotExist)
			}
		})
	}
}

func TestACallThatDoesNotEndIsToldTo(t *testing.T) {
	g := newGate()
	s := start(t, "tcp", g, sunrpc.ServerOptions{Grace: time.Millisecond})
	c := s.dial(t, sunrpc.Options{Timeout: patience})
	var calling sync.WaitGroup
	calling.Go(func() {
		_, err := calc.NewClient(c, 2).Apply(background, calc.Add, 40, 2)
		assert.Error(t, err)
	})
	<-g.begun
	require.NoError(t, s.stop())
	calling.Wait()
}

func TestAServerThatCannotListenSaysWhy(t *testing.T) {
	s := start(t, "unix", &calculator{}, sunrpc.ServerOptions{})
	info, err := os.Stat(s.addr.String())
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	second := sunrpc.NewServer(sunrpc.ServerOptions{})
	_, err = second.Listen("unix", s.addr.String())
	assert.ErrorIs(t, err, unix.EADDRINUSE)
	require.NoError(t, second.Close())
	_, err = os.Stat(s.addr.String())
	assert.NoError(t, err, "it is the first one's")
}

func TestNeitherThreadsNorDescriptorsStay(t *testing.T) {
	count := func(what string) int {
		entries, err := os.ReadDir("/proc/self/" + what)
		require.NoError(t, err)
		return len(entries)
	}
	once := func() {
		g := &calculator{}
		s := start(t, "tcp", g, sunrpc.ServerOptions{})
		for range 5 {
			c := s.dial(t, sunrpc.Options{})
			require.NoError(t, c.Null(background))
			ctx, cancel := context.WithTimeout(background, 10*time.Microsecond)
			_ = c.Null(ctx)
			cancel()
			require.NoError(t, c.Close())
		}
		s.raw(t).Close()
		require.NoError(t, s.stop())
	}
	for range 5 {
		once()
	}
	threads, descriptors := count("task"), count("fd")
	for range 30 {
		once()
	}
	assert.LessOrEqual(t, count("task"), threads+20, "two hundred connections were made")
	ipctest.Eventually(t, func() bool { return count("fd") <= descriptors }, "descriptors are closed")
}

// keeper keeps the channel that says of a connection's end.
type keeper struct {
	calculator
	closed chan (<-chan struct{})
}

func (k *keeper) Apply(r *sunrpc.Request, op calc.Operation, a, b int32) (int32, error) {
	closed := r.Closed()
	k.closed <- closed
	if closed != r.Closed() {
		return 0, sunrpc.SystemError
	}
	return 0, nil
}

func TestTheEndOfAConnectionIsSeenByWhoAsksForIt(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			k := &keeper{closed: make(chan (<-chan struct{}), 2)}
			s := start(t, network, k, sunrpc.ServerOptions{})
			first, second := s.dial(t, sunrpc.Options{}), s.dial(t, sunrpc.Options{})
			for _, c := range []*sunrpc.Client{first, second} {
				_, err := calc.NewClient(c, 2).Apply(background, calc.Add, 1, 1)
				require.NoError(t, err)
			}
			firstClosed, secondClosed := <-k.closed, <-k.closed
			assert.NotEqual(t, firstClosed, secondClosed)
			require.NoError(t, first.Close())
			<-firstClosed
			select {
			case <-secondClosed:
				t.Error("the other connection is open")
			default:
			}
			require.NoError(t, s.stop())
			<-secondClosed
		})
	}
}
