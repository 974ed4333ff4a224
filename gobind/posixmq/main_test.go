package posixmq_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/posixmq"
)

func TestMain(m *testing.M) {
	// glibc's thread and socket for notifications stay to the end of the process, so
	// they are to be there before the check for leaks begins. No queue is needed.
	var none posixmq.Queue
	_ = none.NotifyThread(func() {})

	os.Exit(ipctest.Main(m))
}

// judge is testdata/mq.c, compiled.
func judge(t testing.TB) string {
	t.Helper()
	return ipctest.CProgram(t, "testdata/mq.c", "-lrt")
}

// inC starts calls in a C program of their own; stop gives its output.
func inC(t *testing.T, calls ...string) (stop func() []string) {
	t.Helper()
	program := judge(t)
	cmd := exec.CommandContext(t.Context(), program, calls...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Start())
	return func() []string {
		require.NoError(t, cmd.Wait(), out.String())
		return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	}
}

// newName is the name of a queue that is removed after the test, if it is there.
func newName(t testing.TB) string {
	name := "/" + ipctest.Name(t)
	t.Cleanup(func() {
		if err := posixmq.Unlink(name); err != nil {
			assert.ErrorIs(t, err, fs.ErrNotExist)
		}
	})
	return name
}

// newQueue is open for both directions until the end of the test, unless the test
// closes it.
func newQueue(t testing.TB, maxMsg, msgSize, flags int) *posixmq.Queue {
	t.Helper()
	return open(t, newName(t), unix.O_CREAT|unix.O_EXCL|unix.O_RDWR|flags, &posixmq.Attr{MaxMsg: maxMsg, MsgSize: msgSize})
}

func open(t testing.TB, name string, flags int, attr *posixmq.Attr) *posixmq.Queue {
	t.Helper()
	q, err := posixmq.Open(name, flags, 0o600, attr)
	require.NoError(t, err)
	t.Cleanup(func() {
		if q.Fd() >= 0 {
			assert.NoError(t, q.Close())
		}
	})
	return q
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

// sleepers are the threads of this process that sleep in a system call.
func sleepers(call uintptr) (tids []int) {
	tasks, _ := filepath.Glob("/proc/self/task/*/syscall")
	for _, task := range tasks {
		text, _ := os.ReadFile(task)
		var number uintptr
		var tid int
		if _, err := fmt.Sscan(string(text), &number); err == nil && number == call {
			if _, err := fmt.Sscanf(task, "/proc/self/task/%d/", &tid); err == nil {
				tids = append(tids, tid)
			}
		}
	}
	return tids
}

func asleep(t testing.TB, call uintptr, n int) []int {
	t.Helper()
	var ids []int // one look: a sleeper woken by a signal is out of the call until it sleeps again
	ipctest.Eventually(t, func() bool {
		ids = sleepers(call)
		return len(ids) == n
	}, "they sleep in the kernel")
	return ids
}

// inNamespace runs a role in an IPC namespace of its own, whose limits it may set. A
// container may have neither, which is no want of an installation.
func inNamespace(t *testing.T, role string) {
	t.Helper()
	cmd := ipctest.Command(t, role)
	cmd.SysProcAttr.Cloneflags = unix.CLONE_NEWIPC
	out, err := cmd.CombinedOutput()
	if errors.Is(err, fs.ErrPermission) || unix.Access("/proc/sys/kernel/msgmax", unix.W_OK) != nil {
		t.Skip("needs CAP_SYS_ADMIN and a writable /proc/sys, for an IPC namespace")
	}
	assert.NoError(t, err, "%s: %s", role, out)
}
