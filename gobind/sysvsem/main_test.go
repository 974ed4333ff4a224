package sysvsem_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"unpipc/gobind/internal/sysv/sysvtest"
	"unpipc/gobind/ipctest"
	"unpipc/gobind/sysvsem"
)

func TestMain(m *testing.M) {
	os.Exit(ipctest.Main(m))
}

// inC starts testdata/sem.c, which makes these calls and says what they gave.
func inC(t *testing.T, calls ...string) *ipctest.Peer {
	t.Helper()
	return ipctest.Start(t, exec.Command(ipctest.CProgram(t, "testdata/sem.c"), calls...))
}

func newKey() sysvsem.Key { return sysvsem.Key(ipctest.Key()) }

// newSet is there until the end of the test, unless the test removes it.
func newSet(t testing.TB, values ...int) *sysvsem.Set {
	t.Helper()
	s, err := sysvsem.Get(sysvsem.Private, len(values), sysvsem.Create|0o600)
	require.NoError(t, err)
	sysvtest.RemoveLater(t, s)
	require.NoError(t, s.SetValues(values...))
	return s
}

func values(t testing.TB, s *sysvsem.Set) []int {
	t.Helper()
	v, err := s.Values()
	require.NoError(t, err)
	return v
}

func op(sem uint16, add int16) sysvsem.Op { return sysvsem.Op{Sem: sem, Add: add} }

func undone(sem uint16, add int16) sysvsem.Op {
	return sysvsem.Op{Sem: sem, Add: add, Flags: sysvsem.Undo}
}
