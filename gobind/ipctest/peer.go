package ipctest

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// Peer is another process that a test talks to, line by line.
type Peer struct {
	*exec.Cmd
	t      testing.TB
	stdin  io.WriteCloser
	stdout *bufio.Scanner
}

// Start starts a command, often a [CProgram] or a [Command]. Its standard error is the
// test's. It is killed at the end of the test, if it still runs then.
func Start(t testing.TB, cmd *exec.Cmd) *Peer {
	t.Helper()
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	p := &Peer{cmd, t, stdin, bufio.NewScanner(stdout)}
	t.Cleanup(p.Kill)
	return p
}

// Tell gives it a line.
func (p *Peer) Tell(format string, args ...any) {
	p.t.Helper()
	_, err := fmt.Fprintf(p.stdin, format+"\n", args...)
	require.NoError(p.t, err)
}

// Line is its next line.
func (p *Peer) Line() string {
	p.t.Helper()
	return p.Lines(1)[0]
}

// Lines are its next n lines.
func (p *Peer) Lines(n int) (lines []string) {
	p.t.Helper()
	for range n {
		require.True(p.t, p.stdout.Scan(), "it says no more than %q", lines)
		lines = append(lines, p.stdout.Text())
	}
	return lines
}

// Rest ends its standard input and is all that it still has to say. It is to end then,
// with status 0.
func (p *Peer) Rest() (lines []string) {
	p.t.Helper()
	require.NoError(p.t, p.stdin.Close())
	for p.stdout.Scan() {
		lines = append(lines, p.stdout.Text())
	}
	require.NoError(p.t, p.Wait(), "after %q", lines)
	return lines
}

// Kill ends it as kill -9 does, if it still runs, and waits until it is gone with all
// that the kernel takes from it.
func (p *Peer) Kill() {
	if p.ProcessState == nil {
		_ = p.Process.Kill()
		_ = p.Wait()
	}
}
