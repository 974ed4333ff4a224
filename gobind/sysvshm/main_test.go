package sysvshm_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/internal/sysv/sysvtest"
	"unpipc/gobind/ipctest"
	"unpipc/gobind/sysvshm"
)

func TestMain(m *testing.M) {
	os.Exit(ipctest.Main(m))
}

// inC starts testdata/shm.c, which makes these calls and says what they gave.
func inC(t *testing.T, calls ...string) *ipctest.Peer {
	t.Helper()
	return ipctest.Start(t, exec.Command(ipctest.CProgram(t, "testdata/shm.c"), calls...))
}

func newKey() sysvshm.Key { return sysvshm.Key(ipctest.Key()) }

// newSegment is there until the end of the test, unless the test removes it.
func newSegment(t testing.TB, bytes int) *sysvshm.Segment {
	t.Helper()
	s, err := sysvshm.Get(sysvshm.Private, bytes, sysvshm.Create|0o600)
	require.NoError(t, err)
	sysvtest.RemoveLater(t, s)
	return s
}

// attach maps the segment until the end of the test.
func attach(t testing.TB, s *sysvshm.Segment, flags int) []byte {
	t.Helper()
	memory, err := s.Attach(flags)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, sysvshm.Detach(memory)) })
	return memory
}
