package sysvshm_test

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/sysvshm"
)

func TestMain(m *testing.M) {
	os.Exit(ipctest.Main(m))
}

// judge is testdata/shm.c, compiled.
func judge(t testing.TB) string {
	t.Helper()
	return ipctest.CProgram(t, "testdata/shm.c")
}

// peer is a C program that makes calls. Its stdin ends what it holds.
type peer struct {
	*exec.Cmd
	lines *bufio.Scanner
	end   func()
}

// inC starts calls in a C program of their own.
func inC(t *testing.T, calls ...string) *peer {
	t.Helper()
	program := judge(t)
	cmd := exec.CommandContext(t.Context(), program, calls...)
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

// lastKey is the last key that was given to a test. The process's number makes it
// unlikely that a program beside the tests has it, where they are not isolated.
var lastKey atomic.Int32

func newKey() sysvshm.Key {
	return sysvshm.Key(0x76000000 | int32(os.Getpid()&0xffff)<<8 | lastKey.Add(1)&0xff)
}

// newSegment is there until the end of the test, unless the test removes it.
func newSegment(t testing.TB, bytes int) *sysvshm.Segment {
	t.Helper()
	s, err := sysvshm.Get(sysvshm.Private, bytes, sysvshm.Create|0o600)
	require.NoError(t, err)
	removeLater(t, s)
	return s
}

func removeLater(t testing.TB, s *sysvshm.Segment) {
	t.Cleanup(func() {
		if err := s.Remove(); err != nil {
			assert.Contains(t, []syscall.Errno{unix.EINVAL, unix.EIDRM}, errnoOf(err))
		}
	})
}

// attach maps the segment until the end of the test.
func attach(t testing.TB, s *sysvshm.Segment, flags int) []byte {
	t.Helper()
	memory, err := s.Attach(flags)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, sysvshm.Detach(memory)) })
	return memory
}

// isPath asserts all of a *fs.PathError.
func isPath(t *testing.T, err error, op, name string, errno syscall.Errno) {
	t.Helper()
	var path *fs.PathError
	require.ErrorAs(t, err, &path)
	assert.Equal(t, fs.PathError{Op: op, Path: name, Err: errno}, *path)
}

// errnoOf is the errno inside err, 0 for none.
func errnoOf(err error) syscall.Errno {
	var errno syscall.Errno
	errors.As(err, &errno)
	return errno
}

// output is what a program prints.
func output(t *testing.T, program string, args ...string) string {
	t.Helper()
	_, err := exec.LookPath(program)
	ipctest.Require(t, err == nil, program)
	out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
	require.NoError(t, err, string(out))
	return string(out)
}

// inNamespace runs a role in an IPC namespace of its own, whose limits it may set. A
// container may have neither, which is no want of an installation.
func inNamespace(t *testing.T, role string) {
	t.Helper()
	cmd := ipctest.Command(t, role)
	cmd.SysProcAttr.Cloneflags = unix.CLONE_NEWIPC
	out, err := cmd.CombinedOutput()
	if errors.Is(err, fs.ErrPermission) || unix.Access("/proc/sys/kernel/shmmax", unix.W_OK) != nil {
		t.Skip("needs CAP_SYS_ADMIN and a writable /proc/sys, for an IPC namespace")
	}
	assert.NoError(t, err, "%s: %s", role, out)
}
