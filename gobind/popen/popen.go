// Package popen calls glibc's own popen and pclose: popen(3), UNPv2 4.4.
//
// It is the reference that exercise 3 is compared with. The stream's descriptor
// is read and written directly, so nothing stays in a stdio buffer.
package popen

/*
#cgo CFLAGS: -I${SRCDIR}/../../capi
#include <stdlib.h>
#include "unp_popen.h"
*/
import "C"

import (
	"io/fs"
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
// Error: *fs.PathError (EINVAL for the mode, EMFILE, EAGAIN, ENOMEM).
func Open(command, mode string) (*Stream, error) {
	if strings.ContainsRune(command+mode, 0) {
		return nil, &fs.PathError{Op: "popen", Path: command, Err: unix.EINVAL}
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

// Fd is the descriptor of this end; it belongs to the stream.
func (s *Stream) Fd() int {
	if s.reader != nil {
		return s.reader.Fd()
	}
	return s.writer.Fd()
}

// Read reads the command's output; EBADF on a stream opened with "w".
func (s *Stream) Read(p []byte) (int, error) {
	if s.reader == nil {
		return 0, errs.Call("read", unix.EBADF)
	}
	return s.reader.Read(p)
}

// Write writes to the command's input; EBADF on a stream opened with "r".
func (s *Stream) Write(p []byte) (int, error) {
	if s.writer == nil {
		return 0, errs.Call("write", unix.EBADF)
	}
	return s.writer.Write(p)
}

// Close closes this end, waits for the shell and returns its status. It cannot be
// interrupted: glibc retries. A second Close is ECHILD here; in C it is undefined.
// Error: *os.SyscallError (ECHILD when the shell was already waited for).
func (s *Stream) Close() (process.Status, error) {
	if s.file == nil {
		return 0, errs.Call("pclose", unix.ECHILD)
	}
	var status C.int
	errno := syscall.Errno(C.unp_pclose(s.file, &status))
	s.file = nil
	return process.Status(status), errs.Call("pclose", errno)
}
