package ports_test

import (
	"fmt"
	"net"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
	"unpipc/projects/internal/ports"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

func TestAPortIsGivenToOneAtATime(t *testing.T) {
	seen := map[int]bool{}
	for range 300 {
		port, release := ports.Reserve()
		defer release()
		assert.False(t, seen[port], port)
		seen[port] = true
	}
	port, release := ports.Reserve()
	_, err := net.Listen("unix", fmt.Sprintf("@unpipc-port-%d", port))
	assert.Error(t, err)
	release()
	mark, err := net.Listen("unix", fmt.Sprintf("@unpipc-port-%d", port))
	require.NoError(t, err)
	require.NoError(t, mark.Close())
	l, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
	require.NoError(t, err)
	require.NoError(t, l.Close())
}
