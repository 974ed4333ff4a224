// Package popen calls glibc's own popen and pclose: popen(3), UNPv2 4.5.
//
// It is the reference that exercise 3 is compared with. The stream's descriptor
// is read and written directly, so nothing stays in a stdio buffer.
//
// The shell is started by libc and gets what this process has now: signals that
// the Go runtime handles are at their default there even if this process was
// started ignoring them, and the limit of open files is the raised one. Package
// process puts both right.
package popen

/*
#cgo CFLAGS: -I${SRCDIR}/../../capi
#include <stdlib.h>
#include "unp_popen.h"
*/
import "C"

import (
	"context"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	_ "unpipc/capi"
	_ "unpipc/csrc/popen"
	"unpipc/gobind/internal/errs"
	"unpipc/gobind/pipe"
	"unpipc/gobind/process"
)

// Stream is one end of a pipe to or from a shell command.
type Stream struct {
	file   unsafe.Pointer // FILE *
	reader *pipe.Reader   // one of the two
	writer *pipe.Writer
}

// Open runs command by /bin/sh -c. mode is "r" to read its standard output or
// "w" to write its standard input; "e" beside it sets close-on-exec on this end.
// The shell has no end of the streams that are open already.
// Error: *fs.PathError (EINVAL for the mode, EMFILE, EAGAIN, ENOMEM).
func Open(command, mode string) (*Stream, error) {
	if strings.Contains(command, "\x00") || strings.Contains(mode, "\x00") {
		return nil, errs.Path("popen", command, unix.EINVAL)
	}
	c, m := C.CString(command), C.CString(mode)
	defer C.free(unsafe.Pointer(c))
	defer C.free(unsafe.Pointer(m))
	s := new(Stream)
	var fd C.int
	if errno := C.unp_popen(c, m, &s.file, &fd); errno != 0 {
		return nil, errs.Path("popen", command, syscall.Errno(errno))
	}
	if strings.Contains(mode, "r") {
		s.reader = pipe.NewReader(int(fd))
	} else {
		s.writer = pipe.NewWriter(int(fd))
	}
	return s, nil
}

// Fd is the descriptor of this end, which belongs to the stream; -1 after Close.
func (s *Stream) Fd() int {
	switch {
	case s.reader != nil:
		return s.reader.Fd()
	case s.writer != nil:
		return s.writer.Fd()
	}
	return -1
}

// Read reads the command's output; EBADF on a stream opened with "w".
func (s *Stream) Read(p []byte) (int, error) { return s.ReadContext(context.Background(), p) }

// ReadContext is [Stream.Read] until ctx ends; no byte is lost then.
func (s *Stream) ReadContext(ctx context.Context, p []byte) (int, error) {
	if s.reader == nil {
		return 0, errs.Call("read", unix.EBADF)
	}
	return s.reader.ReadContext(ctx, p)
}

// Write writes to the command's input; EBADF on a stream opened with "r".
func (s *Stream) Write(p []byte) (int, error) { return s.WriteContext(context.Background(), p) }

// WriteContext is [Stream.Write] until ctx ends; it returns how many bytes were
// written.
func (s *Stream) WriteContext(ctx context.Context, p []byte) (int, error) {
	if s.writer == nil {
		return 0, errs.Call("write", unix.EBADF)
	}
	return s.writer.WriteContext(ctx, p)
}

// Close closes this end, waits for the shell and returns its status. It has no
// form that takes a context, because pclose waits again when it is interrupted.
// A second Close is ECHILD here; in C it is undefined.
// Error: *os.SyscallError (ECHILD when the shell was already waited for).
func (s *Stream) Close() (process.Status, error) {
	if s.file == nil {
		return 0, errs.Call("pclose", unix.ECHILD)
	}
	var status C.int
	errno := syscall.Errno(C.unp_pclose(s.file, &status))
	*s = Stream{}
	return process.Status(status), errs.Call("pclose", errno)
}
