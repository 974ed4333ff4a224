package p03popen

import (
	"io/fs"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"unpipc/gobind/pipe"
	"unpipc/gobind/process"
)

// Stream is one end of a pipe to or from a shell command, as the FILE * of popen.
// It is opened by [Open]; the zero Stream is not open.
type Stream struct {
	reader *pipe.Reader // one of the two
	writer *pipe.Writer
}

// table leads from every open stream to its command. See the package's doc for
// what the lock covers.
var table = struct {
	sync.Mutex
	children map[*Stream]*process.Process
}{children: make(map[*Stream]*process.Process)}

// Open runs command by /bin/sh -c. mode is "r" to read its standard output or "w"
// to write its standard input; an "e" beside it sets close-on-exec on this end. As
// in glibc, letters may stand in any order and more than once.
//
// The command has the environment and the working directory of this process, the
// signals it ignores, its other standard descriptors, and no stream that an
// earlier Open has returned.
//
// Error: *fs.PathError (EINVAL for the mode or a NUL in the command, EMFILE,
// EAGAIN, ENOMEM; E2BIG for a command that exec refuses).
func Open(command, mode string) (*Stream, error) {
	s, err := open(command, mode)
	if err != nil {
		return nil, &fs.PathError{Op: "mypopen", Path: command, Err: err}
	}
	return s, nil
}

func open(command, mode string) (*Stream, error) {
	read, cloexec, err := parse(mode)
	if err != nil {
		return nil, err
	}
	if strings.IndexByte(command, 0) >= 0 {
		return nil, unix.EINVAL // C would cut it there
	}
	r, w, err := pipe.New(0) // both ends close-on-exec from the start
	if err != nil {
		return nil, err
	}

	table.Lock()
	defer table.Unlock()
	var s *Stream
	var files []int // the command's descriptors from 0 up
	if read {
		s, files = &Stream{reader: r}, []int{inherited(0), w.Fd()}
		defer w.Close()
	} else {
		s, files = &Stream{writer: w}, []int{r.Fd()}
		defer r.Close()
	}
	child, err := process.Start(&process.Cmd{
		Path: "/bin/sh",
		// "--" lets a command begin with a dash, as POSIX.1-2024 has it.
		Args:   []string{"sh", "-c", "--", command},
		Files:  files,
		Close:  opened(),
		Ignore: ignored(),
	})
	if err != nil {
		_ = s.end().Close() // it was never used
		return nil, err
	}
	if !cloexec {
		// Cannot fail: the descriptor is open.
		_, _ = unix.FcntlInt(uintptr(s.Fd()), unix.F_SETFD, 0)
	}
	table.children[s] = child
	return s, nil
}

// parse reads a mode by glibc's rule: r or w, not both, and perhaps e.
func parse(mode string) (read, cloexec bool, err error) {
	for _, letter := range mode {
		if !strings.ContainsRune("rwe", letter) {
			return false, false, unix.EINVAL
		}
	}
	read = strings.Contains(mode, "r")
	if read == strings.Contains(mode, "w") {
		return false, false, unix.EINVAL
	}
	return read, strings.Contains(mode, "e"), nil
}

// opened are the descriptors of all streams. The caller holds the lock.
func opened() []int {
	var fds []int
	for s := range table.children {
		fds = append(fds, s.Fd())
	}
	return fds
}

// inherited is fd if a program that is started has it, else -1: it is closed here,
// close-on-exec, or a stream that got this number because the descriptor was
// closed. The caller holds the lock.
func inherited(fd int) int {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	if err != nil || flags&unix.FD_CLOEXEC != 0 {
		return -1
	}
	for s := range table.children {
		if s.Fd() == fd {
			return -1
		}
	}
	return fd
}

// ignored are the signals that this process ignores: exec hands them on.
func ignored() []syscall.Signal {
	var signals []syscall.Signal
	for sig := syscall.Signal(1); sig <= 64; sig++ {
		if signal.Ignored(sig) {
			signals = append(signals, sig)
		}
	}
	return signals
}

// Fd is the descriptor, which stays the stream's; -1 when it is not open.
func (s *Stream) Fd() int {
	if s.reader == nil && s.writer == nil {
		return -1
	}
	return s.end().Fd()
}

// Read reads what the command prints, io.EOF when nobody can print any more.
// Error: *os.SyscallError (EBADF on a stream opened with "w").
func (s *Stream) Read(p []byte) (int, error) {
	if s.reader == nil {
		return 0, os.NewSyscallError("read", unix.EBADF)
	}
	return s.reader.Read(p)
}

// Write writes all of p to the command's standard input.
// Error: *os.SyscallError (EPIPE when the command has closed it or is gone; EBADF
// on a stream opened with "r").
func (s *Stream) Write(p []byte) (int, error) {
	if s.writer == nil {
		return 0, os.NewSyscallError("write", unix.EBADF)
	}
	return s.writer.Write(p)
}

// Close closes this end, waits for the shell and returns its status; signals do
// not end the waiting. Of several calls one gets the status, the others ECHILD.
// Error: *os.SyscallError (ECHILD for a stream that is not open, and when somebody
// else has waited for the shell).
func (s *Stream) Close() (process.Status, error) {
	child, err := s.release()
	if child == nil {
		return 0, os.NewSyscallError("mypclose", unix.ECHILD)
	}
	status, failed := child.Wait() // whatever became of the descriptor
	if failed != nil {
		err = failed
	}
	return status, err
}

// release closes the stream and takes it out of the table, as one: a command that
// is started in between by another thread would keep the descriptor. No child: the
// stream is not open.
func (s *Stream) release() (child *process.Process, err error) {
	table.Lock()
	defer table.Unlock()
	if child = table.children[s]; child != nil {
		delete(table.children, s)
		err = s.end().Close()
	}
	return child, err
}

// end is what both directions have in common; the stream must have been opened.
func (s *Stream) end() interface {
	Fd() int
	Close() error
} {
	if s.reader != nil {
		return s.reader
	}
	return s.writer
}
