package p17rpcauth

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/calc"
	"unpipc/gobind/sunrpc"
	"unpipc/gobind/sunrpc/servetest"
	"unpipc/projects/internal/ports"
	"unpipc/projects/p16rpccalc"
	"unpipc/projects/p17rpcauth/authdes"
)

// realm is a key map with calc@here, ann@here and bob@here, and a password that all have.
func realm(t *testing.T) (path, password string) {
	t.Helper()
	path, password = filepath.Join(t.TempDir(), "keys"), filepath.Join(t.TempDir(), "password")
	require.NoError(t, os.WriteFile(password, []byte("secret\n"), 0o600))
	for _, name := range []string{"calc@here", "ann@here", "bob@here"} {
		require.NoError(t, Generate(path, name, "secret", false))
	}
	return path, password
}

// log is what a guard has told of.
type log struct {
	mu    sync.Mutex
	lines []string
}

func (l *log) add(format string, _ ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, format)
}

// start serves over UDP and TCP at a port of loopback, until stop is called.
func start(t *testing.T, g *Guard, port int) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	reader, writer, err := os.Pipe()
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() {
		done <- p16rpccalc.Serve(ctx, p16rpccalc.ServerOptions{
			Networks: []string{"tcp", "udp"}, Port: port, Bind: "127.0.0.1", Program: calc.V1.Number,
			MaxConnections: 10, MaxRecord: 4096, Idle: time.Minute, Check: g.Check, Prepare: g.Prepare,
		}, writer)
		writer.Close()
	}()
	n, err := reader.Read(make([]byte, 1000))
	require.NoError(t, err)
	require.NotZero(t, n)
	var once sync.Once
	stop = func() {
		once.Do(func() { cancel(); assert.NoError(t, <-done); reader.Close() })
	}
	t.Cleanup(stop)
	return stop
}

func target(port int, network string, auth sunrpc.Auth) p16rpccalc.Target {
	return p16rpccalc.Target{Host: "127.0.0.1", Network: network, Port: port, Program: calc.V2, Timeout: time.Minute, Auth: auth}
}

func question(t *testing.T, words ...string) p16rpccalc.Question {
	t.Helper()
	q, err := p16rpccalc.Parse(words)
	require.NoError(t, err)
	return q
}

func desGuard(t *testing.T, path, password string, l *log) *Guard {
	t.Helper()
	keys := Keys{Path: path, Name: "calc@here", PasswordFile: password}
	server, err := keys.NewDESServer(time.Minute)
	require.NoError(t, err)
	g := &Guard{Flavors: map[uint32]bool{authdes.Flavor: true}, DES: server, Log: l.add}
	require.NoError(t, g.Policy.Add("add: name ann@here"))
	return g
}

func TestAConversationSurvivesTheServersRestart(t *testing.T) {
	path, password := realm(t)
	ann := Keys{Path: path, Name: "ann@here", PasswordFile: password}
	credential, err := ann.NewDES("calc@here", time.Minute, 0)
	require.NoError(t, err)
	port, release := ports.Reserve()
	defer release()
	var first, second log
	stop := start(t, desGuard(t, path, password, &first), port)
	client, err := p16rpccalc.Dial(target(port, "udp", credential)) // without a connection that would end
	require.NoError(t, err)
	defer client.Close()
	ask := func() {
		t.Helper()
		n, err := client.Ask(context.Background(), question(t, "add", "5", "3"))
		require.NoError(t, err)
		require.EqualValues(t, 8, n)
	}
	ask()
	ask()
	assert.Empty(t, first.lines)
	stop()
	stop = start(t, desGuard(t, path, password, &second), port)
	ask()
	ask()
	stop()
	require.Len(t, second.lines, 1, "the nickname was refused, once")
}

func TestManyConversationsAtOnce(t *testing.T) {
	path, password := realm(t)
	port, release := ports.Reserve()
	defer release()
	var l log
	defer start(t, desGuard(t, path, password, &l), port)()
	var done sync.WaitGroup
	for i := range 8 {
		name := map[bool]string{true: "ann@here", false: "bob@here"}[i%2 == 0]
		done.Go(func() {
			keys := Keys{Path: path, Name: name, PasswordFile: password}
			credential, err := keys.NewDES("calc@here", time.Minute, 0)
			if !assert.NoError(t, err) {
				return
			}
			client, err := p16rpccalc.Dial(target(port, "tcp", credential))
			if !assert.NoError(t, err) {
				return
			}
			defer client.Close()
			for n := range 50 {
				got, err := client.Ask(context.Background(), question(t, "add", strconv.Itoa(n), "1"))
				if name == "bob@here" {
					assert.ErrorIs(t, err, sunrpc.AuthTooWeak)
				} else if assert.NoError(t, err) {
					assert.EqualValues(t, n+1, got)
				}
			}
		})
	}
	done.Wait()
}

// liar is a flavor 3 that answers without having any key.
func liar(_ *sunrpc.Request, _, _ sunrpc.Opaque) (sunrpc.Opaque, sunrpc.AuthStat) {
	return sunrpc.Opaque{Flavor: authdes.Flavor, Body: make([]byte, 12)}, sunrpc.AuthOK
}

func TestAnAnswerOfAnotherServerIsNotBelieved(t *testing.T) {
	path, password := realm(t)
	s := sunrpc.NewServer(sunrpc.ServerOptions{})
	s.Verify(authdes.Flavor, liar)
	calc.Handle(s, nine{})
	port := servetest.Start(t, s, "tcp").(*net.TCPAddr).Port
	ann := Keys{Path: path, Name: "ann@here", PasswordFile: password}
	credential, err := ann.NewDES("calc@here", time.Minute, 0)
	require.NoError(t, err)
	client, err := p16rpccalc.Dial(target(port, "tcp", credential))
	require.NoError(t, err)
	_, err = client.Ask(context.Background(), question(t, "add", "5", "3"))
	assert.ErrorIs(t, err, sunrpc.AuthInvalidResponse)
	assert.ErrorIs(t, err, authdes.ErrServer)
	require.NoError(t, client.Close())
}

// nine is the result of everything.
type nine struct{}

func (nine) Apply(*sunrpc.Request, calc.Operation, int32, int32) (int32, error) { return 9, nil }
func (nine) Evaluate(*sunrpc.Request, []calc.Token) (int32, error)              { return 9, nil }

func TestProcedureZeroIsAnybodys(t *testing.T) {
	g := &Guard{Flavors: map[uint32]bool{1: true}, Log: func(string, ...any) {}}
	require.NoError(t, g.Policy.Add("add: uid 77"))
	port, release := ports.Reserve()
	defer release()
	defer start(t, g, port)()
	for _, auth := range []sunrpc.Auth{sunrpc.AuthNone{}, sunrpc.AuthSys{UID: 1}} {
		c, err := sunrpc.Dial(context.Background(), "tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), calc.V2, sunrpc.Options{Auth: auth})
		require.NoError(t, err)
		assert.NoError(t, c.Null(context.Background()))
		require.NoError(t, c.Close())
	}
}

func TestEachReasonOfARefusalHasAMessageOfItsOwn(t *testing.T) {
	seen := map[string]bool{}
	for why := range sunrpc.AuthStat(20) {
		err := Explain(&p16rpccalc.Refusal{Where: "there", Err: &sunrpc.Error{Status: sunrpc.AuthError, Why: why}})
		assert.Regexp(t, `^there: [A-Za-z_0-9 ]+: .`, err.Error())
		assert.False(t, seen[err.Error()], err)
		seen[err.Error()] = true
	}
	assert.Equal(t, assert.AnError, Explain(assert.AnError))
	assert.NoError(t, Explain(nil))
}
