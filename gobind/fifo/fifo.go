// Package fifo makes and opens FIFOs, pipes with a name: UNPv2 4.6, fifo(7).
//
// Opening is where a FIFO differs from a pipe:
//
//	                 blocking               O_NONBLOCK
//	OpenReader       waits for a writer     succeeds at once
//	OpenWriter       waits for a reader     ENXIO without a reader
//	OpenReadWriter   succeeds at once (Linux; POSIX leaves it undefined)
//
// None of them follows a symbolic link, and all refuse what is not a FIFO, so a
// name that somebody else chose can be opened.
package fifo

import (
	"context"
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/blocking"
	"unpipc/gobind/internal/errs"
	"unpipc/gobind/pipe"
)

// Make creates a FIFO with exactly this mode, whatever the umask. See mkfifo(3).
// Error: *fs.PathError (EEXIST, ENOENT, EACCES; EINVAL for bits over 07777).
func Make(path string, mode uint32) error {
	if mode&^0o7777 != 0 {
		return errs.Path("mkfifo", path, unix.EINVAL)
	}
	if err := unix.Mkfifo(path, mode); err != nil {
		return errs.Path("mkfifo", path, errs.Errno(err))
	}
	if err := setMode(path, mode); err != nil {
		_ = unix.Unlink(path) // all or nothing
		return err
	}
	return nil
}

// setMode gives a new FIFO the permissions that the umask took. It never touches
// the umask: that belongs to the whole process.
func setMode(path string, mode uint32) error {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return errs.Path("stat", path, errs.Errno(err))
	}
	if st.Mode == unix.S_IFIFO|mode {
		return nil
	}
	// O_PATH opens the name without opening the FIFO, so nobody waiting is woken,
	// and holds on to what was looked at.
	fd, err := unix.Open(path, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return errs.Path("open", path, errs.Errno(err))
	}
	defer unix.Close(fd)
	if err := unix.Fstat(fd, &st); err != nil {
		return errs.Path("stat", path, errs.Errno(err))
	}
	if errno := notFIFO(&st); errno != 0 {
		return errs.Path("chmod", path, errno)
	}
	// fchmod(2) refuses an O_PATH descriptor; its name in /proc leads to the FIFO.
	err = unix.Chmod(fmt.Sprintf("/proc/self/fd/%d", fd), mode)
	return errs.Path("chmod", path, errs.Errno(err))
}

// OpenReader opens the FIFO for reading. flags may be unix.O_NONBLOCK. Without
// it, it waits for a writer until ctx ends.
// Error: *fs.PathError (ENOENT, EACCES, ELOOP for a symbolic link, EINVAL for
// what is no FIFO), or the cause of ctx.
func OpenReader(ctx context.Context, path string, flags int) (*pipe.Reader, error) {
	fd, err := open(ctx, path, unix.O_RDONLY|flags)
	if err != nil {
		return nil, err
	}
	return pipe.NewReader(fd), nil
}

// OpenWriter opens the FIFO for writing. flags may be unix.O_NONBLOCK, which
// fails with ENXIO when no reader has it open. Without it, it waits for a reader
// until ctx ends. Errors as for [OpenReader].
func OpenWriter(ctx context.Context, path string, flags int) (*pipe.Writer, error) {
	fd, err := open(ctx, path, unix.O_WRONLY|flags)
	if err != nil {
		return nil, err
	}
	return pipe.NewWriter(fd), nil
}

// OpenReadWriter opens the FIFO for reading through a descriptor that is a writer
// too: it never waits, and reads never see end of file, because there always is
// a writer. Errors as for [OpenReader].
func OpenReadWriter(path string, flags int) (*pipe.Reader, error) {
	fd, err := open(context.Background(), path, unix.O_RDWR|flags)
	if err != nil {
		return nil, err
	}
	return pipe.NewReader(fd), nil
}

func open(ctx context.Context, path string, flags int) (int, error) {
	var st unix.Stat_t
	// Opening something else could have effects: a tape rewinds, a watchdog starts.
	if err := unix.Lstat(path, &st); err != nil {
		return -1, errs.Path("open", path, errs.Errno(err))
	}
	if errno := notFIFO(&st); errno != 0 {
		return -1, errs.Path("open", path, errno)
	}
	var fd int
	err := blocking.Do(ctx, func() syscall.Errno {
		var e error
		fd, e = unix.Open(path, flags|unix.O_NOFOLLOW|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
		return errs.Errno(e)
	})
	if errno, ok := err.(syscall.Errno); ok {
		err = errs.Path("open", path, errno)
	}
	if err != nil {
		return -1, err
	}
	// The name may have been given to something else in between.
	if err := unix.Fstat(fd, &st); err != nil || notFIFO(&st) != 0 {
		unix.Close(fd)
		return -1, errs.Path("open", path, unix.EINVAL)
	}
	return fd, nil
}

func notFIFO(st *unix.Stat_t) syscall.Errno {
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFIFO:
		return 0
	case unix.S_IFLNK:
		return unix.ELOOP
	}
	return unix.EINVAL
}
