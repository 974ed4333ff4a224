package sunrpc_test

import (
	"context"
	"errors"
	"math"
	"net"
	"path/filepath"
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

// gate is a calculator whose procedures begin and then wait to be let go.
type gate struct {
	calculator
	begun chan struct{}
	pass  chan struct{}
}

func newGate() *gate {
	g := &gate{begun: make(chan struct{}, 1000), pass: make(chan struct{})}
	g.apply = func(r *sunrpc.Request, _ calc.Operation, a, b int32) (int32, error) {
		g.begun <- struct{}{}
		select {
		case <-g.pass:
			return a + b, nil
		case <-r.Context().Done():
			return 0, r.Context().Err()
		}
	}
	return g
}

func TestWhatTheServerRefusesArrivesAsItsStatus(t *testing.T) {
	var answer error
	s := start(t, "tcp", &calculator{apply: func(*sunrpc.Request, calc.Operation, int32, int32) (int32, error) {
		return 0, answer
	}}, sunrpc.ServerOptions{}, 2)
	c := s.dial(t, sunrpc.Options{})
	for _, step := range []struct {
		returned error
		want     []error
		text     string
	}{
		{calc.Overflow, []error{calc.Overflow}, "overflow"},
		{calc.DivisionByZero, []error{calc.DivisionByZero}, "division by zero"},
		{sunrpc.AuthTooWeak, []error{sunrpc.AuthError, sunrpc.AuthTooWeak},
			"call program 0x31230000 version 2: authentication error: credential too weak"},
		{sunrpc.AuthBadCred, []error{sunrpc.AuthError, sunrpc.AuthBadCred}, "bad credential"},
		{sunrpc.GSSContextProblem, []error{sunrpc.GSSContextProblem}, "GSS"},
		{sunrpc.ProcedureUnavailable, []error{sunrpc.ProcedureUnavailable}, "procedure unavailable"},
		{sunrpc.ProgramUnavailable, []error{sunrpc.ProgramUnavailable}, "program unavailable"},
		{sunrpc.CantDecodeArgs, []error{sunrpc.CantDecodeArgs}, "cannot decode the arguments"},
		{errors.New("out of order"), []error{sunrpc.SystemError}, "the server failed"},
		{nil, nil, ""},
	} {
		answer = step.returned
		_, err := calc.NewClient(c, 2).Apply(background, calc.Add, 1, 1)
		for _, want := range step.want {
			require.ErrorIs(t, err, want)
		}
		if step.want == nil {
			require.NoError(t, err, "the connection has been in order all the time")
		} else {
			require.ErrorContains(t, err, step.text)
		}
	}
	_, err := calc.NewClient(s.dial(t, sunrpc.Options{}, calc.V1), 1).Apply(background, calc.Add, 1, 1)
	assert.ErrorIs(t, err, sunrpc.VersionMismatch)
	assert.ErrorContains(t, err, "program version mismatch: the server has 2 to 2")
	var failure *sunrpc.Error
	require.ErrorAs(t, err, &failure)
	assert.Equal(t, [2]uint32{2, 2}, [2]uint32{failure.Low, failure.High})
	assert.ErrorIs(t, s.dial(t, sunrpc.Options{}, sunrpc.Program{Number: 77, Version: 1}).Null(background), sunrpc.ProgramUnavailable)
}

func TestNobodyThereIsSaidSo(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	_, err = sunrpc.Dial(background, "tcp", closed.Addr().String(), calc.V1, sunrpc.Options{})
	assert.ErrorIs(t, err, unix.ECONNREFUSED)
	_, err = sunrpc.Dial(background, "unix", filepath.Join(t.TempDir(), "none"), calc.V1, sunrpc.Options{})
	assert.ErrorIs(t, err, unix.ENOENT)

	c, err := sunrpc.Dial(background, "udp", closed.Addr().String(), calc.V1, sunrpc.Options{Timeout: patience, Retry: 10 * time.Millisecond})
	require.NoError(t, err)
	defer c.Close()
	err = c.Null(background)
	assert.ErrorIs(t, err, unix.ECONNREFUSED, "the host says so by ICMP")
}

func TestAServerThatDoesNotAnswerTimesOut(t *testing.T) {
	for _, network := range []string{"tcp", "udp", "unix"} {
		t.Run(network, func(t *testing.T) {
			g := newGate()
			s := start(t, network, g, sunrpc.ServerOptions{Grace: time.Millisecond})
			// The last call over UDP is to be answered in this time, on a busy machine too.
			timeout := map[string]time.Duration{"udp": time.Second}[network]
			c := s.dial(t, sunrpc.Options{Timeout: max(timeout, 50*time.Millisecond), Retry: time.Minute})
			_, err := calc.NewClient(c, 2).Apply(background, calc.Add, 1, 1)
			require.ErrorIs(t, err, sunrpc.TimedOut)
			assert.EqualError(t, err, "call program 0x31230000 version 2: timed out")
			close(g.pass)
			if network == "udp" {
				ipctest.Eventually(t, func() bool { return c.Null(background) == nil }, "a late answer has another number")
			} else {
				assert.ErrorIs(t, c.Null(background), sunrpc.ErrBroken)
			}
		})
	}
}

func TestACallEndsWithItsContext(t *testing.T) {
	why := errors.New("no more patience")
	for _, network := range []string{"tcp", "udp", "unix"} {
		t.Run(network, func(t *testing.T) {
			g := newGate()
			s := start(t, network, g, sunrpc.ServerOptions{Grace: time.Millisecond})
			for range 20 {
				c := s.dial(t, sunrpc.Options{Timeout: time.Hour, Retry: time.Hour})
				ctx, cancel := context.WithCancelCause(background)
				go func() { <-g.begun; cancel(why) }()
				_, err := calc.NewClient(c, 2).Apply(ctx, calc.Add, 1, 1)
				require.Equal(t, why, err)
				assert.ErrorIs(t, c.Null(background), sunrpc.ErrBroken)
				require.NoError(t, c.Close())
				g.pass <- struct{}{}
			}
		})
	}
}

func TestAContextThatEndsWhileOthersCallEndsTheWait(t *testing.T) {
	g := newGate()
	s := start(t, "tcp", g, sunrpc.ServerOptions{})
	c := s.dial(t, sunrpc.Options{Timeout: time.Hour})
	var calling sync.WaitGroup
	calling.Go(func() {
		_, err := calc.NewClient(c, 2).Apply(background, calc.Add, 1, 1)
		assert.NoError(t, err, "it goes on")
	})
	<-g.begun
	ctx, cancel := context.WithTimeout(background, time.Millisecond)
	defer cancel()
	assert.Equal(t, context.DeadlineExceeded, c.Null(ctx))
	g.pass <- struct{}{}
	calling.Wait()
	assert.NoError(t, c.Null(background))
	ended, end := context.WithCancel(background)
	end()
	assert.Equal(t, context.Canceled, c.Null(ended))
	assert.NoError(t, c.Null(background))
}

func TestADeadlineThatComesTooLateDoesNotHarm(t *testing.T) {
	s := start(t, "tcp", &calculator{}, sunrpc.ServerOptions{})
	c := s.dial(t, sunrpc.Options{})
	for i := range int32(200) {
		ctx, cancel := context.WithTimeout(background, time.Hour)
		n, err := calc.NewClient(c, 2).Apply(ctx, calc.Add, i, 1)
		cancel()
		require.NoError(t, err)
		require.Equal(t, i+1, n)
	}
}

func TestCallsThatRaceWithTheEndOfTheirContextGiveOneOfBoth(t *testing.T) {
	s := start(t, "tcp", &calculator{}, sunrpc.ServerOptions{})
	pool := sunrpc.NewPool(1, func(ctx context.Context) (*sunrpc.Client, error) {
		return sunrpc.Dial(ctx, "tcp", s.addr.String(), calc.V2, sunrpc.Options{})
	})
	defer pool.Close()
	client := calc.NewClient(pool, 2)
	cancelled := 0
	for i := range int32(500) {
		ctx, cancel := context.WithTimeout(background, time.Duration(i)*time.Microsecond)
		n, err := client.Apply(ctx, calc.Add, i, 1)
		cancel()
		if err != nil {
			require.Equal(t, context.DeadlineExceeded, err)
			cancelled++
			continue
		}
		require.Equal(t, i+1, n)
	}
	assert.Positive(t, cancelled)
}

func TestAClosedClientSaysSo(t *testing.T) {
	s := start(t, "tcp", &calculator{}, sunrpc.ServerOptions{})
	c := s.dial(t, sunrpc.Options{})
	assert.Equal(t, s.addr.String(), c.RemoteAddr().String())
	require.NoError(t, c.Close())
	require.NoError(t, c.Close())
	assert.ErrorIs(t, c.Null(background), net.ErrClosed)
}

func TestAServerThatHasClosedTheConnectionIsAnErrorAndNoSignal(t *testing.T) {
	for network, want := range map[string]error{"tcp": sunrpc.CantReceive, "unix": sunrpc.CantSend} {
		t.Run(network, func(t *testing.T) {
			s := start(t, network, &calculator{}, sunrpc.ServerOptions{})
			c := s.dial(t, sunrpc.Options{})
			require.NoError(t, c.Null(background))
			require.NoError(t, s.stop())
			assert.ErrorIs(t, c.Null(background), want)
			assert.ErrorIs(t, c.Null(background), sunrpc.ErrBroken)
		})
	}
}

func TestTheResultOfVersionOneCannotSayWhyThereIsNone(t *testing.T) {
	s := start(t, "tcp", &calculator{apply: func(_ *sunrpc.Request, _ calc.Operation, a, b int32) (int32, error) {
		if a == math.MaxInt32 {
			return 0, calc.Overflow
		}
		return a + b, nil
	}}, sunrpc.ServerOptions{})
	v1 := calc.NewClient(s.dial(t, sunrpc.Options{}, calc.V1), 1)
	_, err := v1.Apply(background, calc.Add, math.MaxInt32, 1)
	assert.ErrorIs(t, err, sunrpc.SystemError)
	v2 := calc.NewClient(s.dial(t, sunrpc.Options{}), 2)
	_, err = v2.Apply(background, calc.Add, math.MaxInt32, 1)
	assert.Equal(t, calc.Overflow, err)
}

func TestAContextOfManyCallsEndsTheOneInProgress(t *testing.T) {
	g := newGate()
	s := start(t, "tcp", g, sunrpc.ServerOptions{Grace: time.Millisecond})
	c := s.dial(t, sunrpc.Options{Timeout: time.Hour})
	ctx, cancel := context.WithCancel(background)
	for range 5 {
		require.NoError(t, c.Null(ctx))
	}
	go func() { <-g.begun; cancel() }()
	_, err := calc.NewClient(c, 2).Apply(ctx, calc.Add, 1, 1)
	assert.Equal(t, context.Canceled, err)
	assert.ErrorIs(t, c.Null(background), sunrpc.ErrBroken)
	g.pass <- struct{}{}
}

func TestTheEndOfAContextBetweenCallsHarmsNone(t *testing.T) {
	s := start(t, "tcp", &calculator{}, sunrpc.ServerOptions{})
	c := s.dial(t, sunrpc.Options{})
	for i := range 100 {
		ctx, cancel := context.WithCancel(background)
		for range i % 4 {
			require.NoError(t, c.Null(ctx))
		}
		cancel()
		require.Equal(t, context.Canceled, c.Null(ctx))
		require.NoError(t, c.Null(background))
	}
}
