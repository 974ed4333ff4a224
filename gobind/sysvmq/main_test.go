package sysvmq_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"unpipc/gobind/internal/sysv/sysvtest"
	"unpipc/gobind/ipctest"
	"unpipc/gobind/sysvmq"
)

func TestMain(m *testing.M) {
	os.Exit(ipctest.Main(m))
}

// inC starts testdata/msg.c, which makes these calls and says what they gave.
func inC(t *testing.T, calls ...string) *ipctest.Peer {
	t.Helper()
	return ipctest.Start(t, exec.Command(ipctest.CProgram(t, "testdata/msg.c"), calls...))
}

func newKey() sysvmq.Key { return sysvmq.Key(ipctest.Key()) }

// newQueue is there until the end of the test, unless the test removes it.
func newQueue(t testing.TB) *sysvmq.Queue {
	t.Helper()
	q, err := sysvmq.Get(sysvmq.Private, sysvmq.Create|0o600)
	require.NoError(t, err)
	sysvtest.RemoveLater(t, q)
	return q
}
