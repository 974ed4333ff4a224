package ipctest_test

import (
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
)

func TestTheErrnoInsideAnErrorIsFound(t *testing.T) {
	path := &fs.PathError{Op: "open", Path: "/a", Err: unix.ENOENT}
	assert.Equal(t, unix.ENOENT, ipctest.Errno(fmt.Errorf("further out: %w", path)))
	assert.Zero(t, ipctest.Errno(nil))
	assert.Zero(t, ipctest.Errno(fs.ErrExist))
	assert.Equal(t, "0", ipctest.Outcome(nil))
	assert.Equal(t, "0", ipctest.Outcome(syscall.Errno(0)))
	assert.Equal(t, "errno 0", ipctest.Outcome(fs.ErrExist), "an error all the same")
	assert.Equal(t, "errno 2", ipctest.Outcome(path))
	assert.Equal(t, "errno 2", ipctest.Outcome(unix.ENOENT))
}

func TestErrorsAreComparedInAllTheirParts(t *testing.T) {
	path := &fs.PathError{Op: "open", Path: "/a", Err: unix.ENOENT}
	call := &os.SyscallError{Syscall: "shmdt", Err: unix.EINVAL}
	is := func(want bool, assert func(t testing.TB)) {
		t.Helper()
		if failed := judge(t, assert); failed == want {
			t.Errorf("it was taken for right: %t", !failed)
		}
	}
	for _, c := range []struct {
		want     bool
		err      error
		op, path string
		cause    error
	}{
		{true, path, "open", "/a", unix.ENOENT},
		{true, fmt.Errorf("further out: %w", path), "open", "/a", unix.ENOENT},
		{false, path, "stat", "/a", unix.ENOENT},
		{false, path, "open", "/b", unix.ENOENT},
		{false, path, "open", "/a", unix.EACCES},
		{false, unix.ENOENT, "open", "/a", unix.ENOENT},
		{false, nil, "open", "/a", unix.ENOENT},
	} {
		is(c.want, func(t testing.TB) { ipctest.IsPathError(t, c.err, c.op, c.path, c.cause) })
	}
	is(true, func(t testing.TB) { ipctest.IsSyscallError(t, call, "shmdt", unix.EINVAL) })
	is(false, func(t testing.TB) { ipctest.IsSyscallError(t, call, "shmat", unix.EINVAL) })
	is(false, func(t testing.TB) { ipctest.IsSyscallError(t, call, "shmdt", unix.EIDRM) })
	is(false, func(t testing.TB) { ipctest.IsSyscallError(t, path, "open", unix.ENOENT) })
}

// judgement is a test that only notes whether it failed.
type judgement struct {
	testing.TB
	failed bool
}

// judge says whether a test of t's fails.
func judge(t *testing.T, test func(t testing.TB)) bool {
	seen := &judgement{TB: t}
	done := make(chan struct{})
	go func() { // which a failed requirement ends
		defer close(done)
		test(seen)
	}()
	<-done
	return seen.failed
}

func (j *judgement) Helper()               {}
func (j *judgement) Errorf(string, ...any) { j.failed = true }
func (j *judgement) FailNow()              { j.failed = true; runtime.Goexit() }
