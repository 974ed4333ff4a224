package p02fifo

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/fifo"
	"unpipc/gobind/ipctest"
	"unpipc/projects/internal/script"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

func TestScripts(t *testing.T) { script.Test(t, "p02fifo") }

func TestLeftovers(t *testing.T) {
	server := filepath.Join(t.TempDir(), "calc")
	assert.Empty(t, leftovers(server))

	require.NoError(t, fifo.Make(server, 0o600))
	dead := made(t, server, 1<<30) // no Linux pid is so large
	alive := made(t, server, os.Getpid())
	elsewhere := made(t, server, 1<<30+1)
	open(t, elsewhere) // as if by a process of another pid namespace
	file := ReplyPath(server, 1<<30+2)
	require.NoError(t, os.WriteFile(file, nil, 0o600))

	var names []string
	for _, l := range leftovers(server) {
		names = append(names, l.Name)
		assert.NoError(t, l.Remove())
	}
	assert.Equal(t, []string{server, dead}, names)
	for _, path := range []string{alive, elsewhere, file} {
		assert.FileExists(t, path)
	}
	assert.Empty(t, leftovers(server))
}
