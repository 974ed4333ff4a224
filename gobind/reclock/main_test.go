package reclock_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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

// judge is testdata/lock.c, compiled.
func judge(t testing.TB) string {
	t.Helper()
	return ipctest.CProgram(t, "testdata/lock.c")
}

// program is a running process that takes commands, a line each, and answers.
type program struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.WriteCloser
	out   *bufio.Reader
}

func start(t *testing.T, cmd *exec.Cmd) *program {
	t.Helper()
	p := &program{t: t, cmd: cmd}
	var err error
	p.stdin, err = cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	p.out = bufio.NewReader(out)
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		p.stdin.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return p
}

// inC is the C program.
func inC(t *testing.T) *program {
	t.Helper()
	path := judge(t)
	cmd := exec.CommandContext(t.Context(), path)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return start(t, cmd)
}

func (p *program) pid() int { return p.cmd.Process.Pid }

// ask has it run a command that does not answer yet.
func (p *program) ask(format string, args ...any) {
	p.t.Helper()
	_, err := fmt.Fprintf(p.stdin, format+"\n", args...)
	require.NoError(p.t, err)
}

func (p *program) answer() string {
	p.t.Helper()
	line, err := p.out.ReadString('\n')
	require.NoError(p.t, err)
	return strings.TrimSuffix(line, "\n")
}

func (p *program) do(format string, args ...any) string {
	p.t.Helper()
	p.ask(format, args...)
	return p.answer()
}

// open has it open a file; the answer is the descriptor.
func (p *program) open(path string) string {
	p.t.Helper()
	fd := p.do("open %s", path)
	require.NotContains(p.t, fd, "errno")
	return fd
}

// kill ends it as kill -9 does, and returns when the kernel has taken its locks away.
func (p *program) kill() {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Kill())
	_ = p.cmd.Wait()
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
	var call *os.SyscallError
	require.ErrorAs(t, err, &call)
	require.Equal(t, os.SyscallError{Syscall: "fcntl", Err: want}, *call)
}

func errnoOf(err error) string {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return fmt.Sprintf("errno %d", int(errno))
	}
	return "0"
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
