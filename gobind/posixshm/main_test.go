package posixshm_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
)

func TestMain(m *testing.M) {
	os.Exit(ipctest.Main(m))
}

// judge is testdata/shm.c, compiled.
func judge(t testing.TB) string {
	t.Helper()
	return ipctest.CProgram(t, "testdata/shm.c", "-lrt")
}

// peer is a C program that makes calls. Its stdin ends what it holds.
type peer struct {
	*exec.Cmd
	lines *bufio.Scanner
	end   func()
}

// inC starts calls in a C program of their own, which gets files as 3 and so on.
func inC(t *testing.T, files []*os.File, calls ...string) *peer {
	t.Helper()
	program := judge(t)
	cmd := exec.CommandContext(t.Context(), program, calls...)
	cmd.ExtraFiles = files
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	return &peer{cmd, bufio.NewScanner(stdout), func() { stdin.Close() }}
}

// says is the peer's next n lines.
func (p *peer) says(t *testing.T, n int) (lines []string) {
	t.Helper()
	for range n {
		require.True(t, p.lines.Scan(), "it says no more than %q", lines)
		lines = append(lines, p.lines.Text())
	}
	return lines
}

// rest ends what the peer holds, and it.
func (p *peer) rest(t *testing.T) (lines []string) {
	t.Helper()
	p.end()
	for p.lines.Scan() {
		lines = append(lines, p.lines.Text())
	}
	require.NoError(t, p.Wait())
	return lines
}

func did(n syscall.Errno) string {
	if n == 0 {
		return "0"
	}
	return fmt.Sprintf("errno %d", int(n))
}

// errnoOf is the errno inside err, 0 for none.
func errnoOf(err error) syscall.Errno {
	var errno syscall.Errno
	errors.As(err, &errno)
	return errno
}
