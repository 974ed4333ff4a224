package p08rwlock

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"golang.org/x/sys/unix"

	"unpipc/gobind/posixshm"
)

// object is where a board is.
type object struct {
	fd      int
	name    string // of the shared memory object; "": it has none
	created bool
}

// The bytes of the object's file that are locked, far behind its end. The kernel drops a
// lock with the last descriptor, however its process ends.
const (
	gateByte = math.MaxInt64 - 1 // held for a moment, to make or to remove the lock
	lifeByte = math.MaxInt64 - 2 // held for reading by all who use it
)

// anonymous makes memory that is gone with its last user.
func anonymous(name string, bytes int) (int, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	if err != nil {
		return -1, os.NewSyscallError("memfd_create", err)
	}
	if err := unix.Ftruncate(fd, int64(bytes)); err != nil {
		unix.Close(fd)
		return -1, os.NewSyscallError("ftruncate", err)
	}
	return fd, nil
}

// newBoard makes a board for this program alone.
func newBoard(policy Policy) (*board, *object, error) {
	fd, err := anonymous("rwlock", boardSize)
	if err != nil {
		return nil, nil, err
	}
	b, err := mapBoard(fd, policy)
	if err != nil {
		unix.Close(fd)
		return nil, nil, err
	}
	return b, &object{fd: fd, created: true}, nil
}

// attach makes the board that is the shared memory object of this name, or joins those
// who use it; then policy, unless it is 0, must be theirs. What killed programs left is
// made anew.
func attach(name string, policy Policy) (*board, *object, error) {
	for {
		o, err := posixshm.Open(name, unix.O_RDWR|unix.O_CREAT, 0o600)
		if err != nil {
			return nil, nil, err
		}
		at := &object{fd: o.Fd(), name: name}
		b, err := at.enter(o, policy)
		if err == nil {
			return b, at, at.lock(unix.F_UNLCK, gateByte, true)
		}
		_ = o.Close()
		if err != errRemoved {
			return nil, nil, err
		}
	}
}

var (
	errRemoved = errors.New("removed meanwhile")
	errForeign = errors.New("is not a lock of test_myrwlock")
)

// enter goes through the gate and leaves it locked.
func (at *object) enter(o *posixshm.Object, policy Policy) (*board, error) {
	if err := at.lock(unix.F_WRLCK, gateByte, true); err != nil {
		return nil, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(at.fd, &st); err != nil {
		return nil, os.NewSyscallError("fstat", err)
	}
	if st.Nlink == 0 {
		return nil, errRemoved
	}
	if st.Size != 0 && !ours(at.fd, &st) {
		return nil, fmt.Errorf("%s: %w", at.name, errForeign)
	}
	err := at.lock(unix.F_WRLCK, lifeByte, false)
	if at.created = err == nil; at.created {
		if err := o.Allocate(boardSize); err != nil {
			return nil, errors.Join(err, posixshm.Unlink(at.name))
		}
		if policy == 0 {
			policy = Fair
		}
	} else if !errors.Is(err, unix.EAGAIN) {
		return nil, err
	}
	// A lock for writing becomes one for reading without a gap.
	if err := at.lock(unix.F_RDLCK, lifeByte, false); err != nil {
		return nil, err
	}
	if at.created {
		return mapBoard(at.fd, policy)
	}
	b, err := mapBoard(at.fd, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", at.name, errForeign)
	}
	if theirs := b.lock.Policy(); policy != 0 && policy != theirs {
		return nil, errors.Join(fmt.Errorf("%s: its policy is %v, not %v", at.name, theirs, policy), b.unmap())
	}
	return b, nil
}

// leave stops using the board; the last one removes its name.
func (at *object) leave(b *board) error {
	err := b.unmap()
	if at.name != "" {
		err = errors.Join(err, at.lock(unix.F_WRLCK, gateByte, true))
		if at.lock(unix.F_WRLCK, lifeByte, false) == nil {
			err = errors.Join(err, posixshm.Unlink(at.name))
		}
	}
	return errors.Join(err, os.NewSyscallError("close", unix.Close(at.fd)))
}

// lock locks or unlocks one byte; see F_OFD_SETLK in fcntl(2). Error: EAGAIN.
func (at *object) lock(kind int16, start int64, wait bool) error {
	request := unix.F_OFD_SETLK
	if wait {
		request = unix.F_OFD_SETLKW
	}
	for {
		err := unix.FcntlFlock(uintptr(at.fd), request, &unix.Flock_t{Type: kind, Whence: io.SeekStart, Start: start, Len: 1})
		switch {
		case err == nil:
			return nil
		case err == unix.EACCES: // POSIX leaves the choice
			err = unix.EAGAIN
		case err == unix.EINTR:
			continue
		}
		return fmt.Errorf("%s: %w", at.name, os.NewSyscallError("fcntl", err))
	}
}

// ours says whether a file is a board, or one that was killed while it was made.
func ours(fd int, st *unix.Stat_t) bool {
	var word [4]byte
	if n, err := unix.Pread(fd, word[:], 0); err != nil || n != len(word) {
		return false
	}
	found := binary.NativeEndian.Uint32(word[:])
	return st.Size == int64(boardSize) && int(st.Uid) == os.Geteuid() && (found == magic || found == 0)
}
