package ipctest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Errno is the errno inside err, 0 for none.
func Errno(err error) syscall.Errno {
	var errno syscall.Errno
	errors.As(err, &errno)
	return errno
}

// Outcome is err as the C programs of the tests print what a call gave: "0" for nil and
// for the errno 0, else "errno N".
func Outcome(err error) string {
	if err == nil || err == syscall.Errno(0) {
		return "0"
	}
	return fmt.Sprintf("errno %d", int(Errno(err)))
}

// IsPathError asserts all of a *fs.PathError.
func IsPathError(t testing.TB, err error, op, path string, cause error) {
	t.Helper()
	var e *fs.PathError
	require.ErrorAs(t, err, &e)
	assert.Equal(t, fs.PathError{Op: op, Path: path, Err: cause}, *e)
}

// IsSyscallError asserts all of an *os.SyscallError.
func IsSyscallError(t testing.TB, err error, call string, cause error) {
	t.Helper()
	var e *os.SyscallError
	require.ErrorAs(t, err, &e)
	assert.Equal(t, os.SyscallError{Syscall: call, Err: cause}, *e)
}
