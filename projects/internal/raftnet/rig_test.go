package raftnet_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/raftrpc"
	"unpipc/gobind/sunrpc"
	"unpipc/projects/internal/ports"
	"unpipc/projects/internal/raftnet"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

var background = context.Background()

// patience bounds hanging only.
const patience = 2 * time.Minute

// post is a transport and the server that serves it.
type post struct {
	*raftnet.Transport
	addr string
	stop func() // and say goodbye to all connections
}

// serve serves transport at addr.
func serve(t testing.TB, transport *raftnet.Transport, addr string) (stop func()) {
	t.Helper()
	server := sunrpc.NewServer(sunrpc.ServerOptions{MaxRecord: raftnet.MaxRecord, Grace: time.Millisecond})
	server.Handle(transport.Service())
	_, err := server.Listen("tcp", addr)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(background)
	done := make(chan error, 1)
	go func() { done <- server.Serve(ctx) }()
	stopped := false
	return func() {
		if !stopped {
			stopped = true
			cancel()
			assert.NoError(t, <-done)
		}
	}
}

// vacant is an address that nobody listens at.
func vacant(t testing.TB) string {
	t.Helper()
	port, release := ports.Reserve()
	t.Cleanup(release)
	return fmt.Sprintf("127.0.0.1:%d", port)
}

func newPost(t testing.TB, o raftnet.Options) *post {
	t.Helper()
	addr := vacant(t)
	p := &post{Transport: raftnet.New(raft.ServerAddress(addr), o), addr: addr}
	p.stop = serve(t, p.Transport, addr)
	t.Cleanup(func() {
		assert.NoError(t, p.Close())
		p.stop()
	})
	return p
}

// dial makes a connection that a test holds itself.
func dial(t testing.TB, p *post) (*raftrpc.Client, *sunrpc.Client) {
	t.Helper()
	conn, err := sunrpc.Dial(background, "tcp", p.addr, raftrpc.Program, sunrpc.Options{Timeout: patience})
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return raftrpc.NewClient(conn), conn
}

// taken is the next call that raft would get.
func taken(t testing.TB, p *post) raft.RPC {
	t.Helper()
	select {
	case rpc := <-p.Consumer():
		return rpc
	case <-time.After(patience):
		assert.Fail(t, "no call comes") // maybe not on the goroutine of the test
		return raft.RPC{RespChan: make(chan raft.RPCResponse, 1)}
	}
}

// received is what raft would read of a snapshot.
type received struct {
	bytes []byte
	err   error
}

// read reads a snapshot as raft's loop does.
func read(rpc raft.RPC) <-chan received {
	done := make(chan received, 1)
	go func() {
		bytes, err := io.ReadAll(rpc.Reader)
		done <- received{bytes, err}
		rpc.Respond(&raft.InstallSnapshotResponse{Term: 5, Success: err == nil}, err)
	}()
	return done
}

func within(t testing.TB, done <-chan received) received {
	t.Helper()
	select {
	case r := <-done:
		return r
	case <-time.After(patience):
		require.FailNow(t, "the snapshot does not end")
		return received{}
	}
}
