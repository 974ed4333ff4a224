// Package servetest runs a server of Sun RPC for the length of a test.
package servetest

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/sunrpc"
)

// Start serves at a new address of "tcp" or "unix", until the end of the test.
func Start(t testing.TB, s *sunrpc.Server, network string) net.Addr {
	t.Helper()
	at := "127.0.0.1:0"
	if network == "unix" {
		// Not t.TempDir: of a test with a long name it is longer than an address may be.
		dir, err := os.MkdirTemp("", fmt.Sprintf("unpipc-%d-serve-", os.Getpid()))
		require.NoError(t, err)
		t.Cleanup(func() { os.RemoveAll(dir) })
		at = filepath.Join(dir, "s")
	}
	addr, err := s.Listen(network, at)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	t.Cleanup(func() { cancel(); assert.NoError(t, <-done) })
	return addr
}

// Dial connects to a server until the end of the test.
func Dial(t testing.TB, addr net.Addr, p sunrpc.Program) *sunrpc.Client {
	t.Helper()
	c, err := sunrpc.Dial(context.Background(), addr.Network(), addr.String(), p, sunrpc.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}
