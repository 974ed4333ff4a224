package reclock_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/reclock"
)

func TestMain(m *testing.M) {
	os.Exit(ipctest.Main(m))
}

// program takes commands, a line each, and answers.
type program struct{ *ipctest.Peer }

// inC is testdata/lock.c.
func inC(t *testing.T) program {
	t.Helper()
	return program{ipctest.Start(t, exec.Command(ipctest.CProgram(t, "testdata/lock.c")))}
}

// do has it run a command.
func (p program) do(format string, args ...any) (answer string) {
	p.Tell(format, args...)
	return p.Line()
}

// open has it open a file; the answer is the descriptor.
func (p program) open(t *testing.T, path string) string {
	t.Helper()
	fd := p.do("open %s", path)
	require.NotContains(t, fd, "errno")
	return fd
}

// newFolder is on a file system that shows the same device to stat(2) and in /proc/locks,
// which overlayfs and btrfs need not do.
func newFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", ipctest.Name(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	return dir
}

// newFile is an empty file that is open in this process.
func newFile(t *testing.T) (path string, fd int) {
	t.Helper()
	path = filepath.Join(newFolder(t), "file")
	return path, openFile(t, path, unix.O_RDWR|unix.O_CREAT)
}

func openFile(t *testing.T, path string, flags int) int {
	t.Helper()
	fd, err := unix.Open(path, flags|unix.O_CLOEXEC, 0o600)
	require.NoError(t, err)
	t.Cleanup(func() { _ = unix.Close(fd) })
	return fd
}

// isErrno asserts that err is what a call on an unnamed object gives.
func isErrno(t *testing.T, want syscall.Errno, err error) {
	t.Helper()
	ipctest.IsSyscallError(t, err, "fcntl", want)
}

// waiters waits until the file has this many locks that somebody waits for.
func waiters(t *testing.T, fd, n int) {
	t.Helper()
	ipctest.Eventually(t, func() bool {
		held, err := reclock.List(fd)
		if err != nil {
			return false
		}
		waiting := 0
		for _, h := range held {
			if h.Waiting {
				waiting++
			}
		}
		return waiting == n
	}, fmt.Sprintf("%d wait for a lock", n))
}
