package sysvsem_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/sysvsem"
)

func TestMain(m *testing.M) {
	os.Exit(ipctest.Main(m))
}

// judge is testdata/sem.c, compiled.
func judge(t testing.TB) string {
	t.Helper()
	return ipctest.CProgram(t, "testdata/sem.c")
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

// lastKey is the last key that was given to a test. The process's number makes it
// unlikely that a program beside the tests has it, where they are not isolated.
var lastKey atomic.Int32

func newKey() sysvsem.Key {
	return sysvsem.Key(0x76000000 | int32(os.Getpid()&0xffff)<<8 | lastKey.Add(1)&0xff)
}

// newSet is there until the end of the test, unless the test removes it.
func newSet(t testing.TB, values ...int) *sysvsem.Set {
	t.Helper()
	s, err := sysvsem.Get(sysvsem.Private, len(values), sysvsem.Create|0o600)
	require.NoError(t, err)
	removeLater(t, s)
	require.NoError(t, s.SetValues(values...))
	return s
}

func removeLater(t testing.TB, s *sysvsem.Set) {
	t.Cleanup(func() {
		if err := s.Remove(); err != nil {
			assert.Contains(t, []syscall.Errno{unix.EINVAL, unix.EIDRM}, errnoOf(err))
		}
	})
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

// isPath asserts all of a *fs.PathError.
func isPath(t *testing.T, err error, op, name string, cause error) {
	t.Helper()
	var path *fs.PathError
	require.ErrorAs(t, err, &path)
	assert.Equal(t, fs.PathError{Op: op, Path: name, Err: cause}, *path)
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
	if errors.Is(err, fs.ErrPermission) || unix.Access("/proc/sys/kernel/sem", unix.W_OK) != nil {
		t.Skip("needs CAP_SYS_ADMIN and a writable /proc/sys, for an IPC namespace")
	}
	assert.NoError(t, err, "%s: %s", role, out)
}
