package posixshm_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
)

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "unpipc-posixshm-")
	if err != nil {
		panic(err)
	}
	programs = dir
	status := ipctest.Main(m)
	os.RemoveAll(dir)
	os.Exit(status)
}

// programs is a folder for what tests compile.
var programs string

// judge is testdata/shm.c, compiled.
var judge = sync.OnceValues(func() (string, error) {
	out := filepath.Join(programs, "shm")
	cc := os.Getenv("CC")
	if cc == "" {
		cc = "cc"
	}
	args := append([]string{"-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror"}, strings.Fields(os.Getenv("CFLAGS"))...)
	text, err := exec.Command(cc, append(args, "-o", out, "testdata/shm.c", "-lrt")...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", cc, err, text)
	}
	return out, nil
})

// peer is a C program that makes calls. Its stdin ends what it holds.
type peer struct {
	*exec.Cmd
	lines *bufio.Scanner
	end   func()
}

// inC starts calls in a C program of their own, which gets files as 3 and so on.
func inC(t *testing.T, files []*os.File, calls ...string) *peer {
	t.Helper()
	program, err := judge()
	require.NoError(t, err)
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
