// Package errs turns errno values into the errors that every binding returns.
package errs

import (
	"io/fs"
	"os"
	"syscall"
)

// Path is the error of an operation on a named object, nil for errno 0.
func Path(op, path string, errno syscall.Errno) error {
	if errno == 0 {
		return nil
	}
	return &fs.PathError{Op: op, Path: path, Err: errno}
}

// Call is the error of a system call on an unnamed object, nil for errno 0.
func Call(op string, errno syscall.Errno) error {
	if errno == 0 {
		return nil
	}
	return os.NewSyscallError(op, errno)
}

// Errno is the errno inside err, which must be one of package unix's errors;
// 0 for nil.
func Errno(err error) syscall.Errno {
	if err == nil {
		return 0
	}
	return err.(syscall.Errno)
}
