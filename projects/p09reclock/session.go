package p09reclock

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"unpipc/gobind/reclock"
)

// The lock file has one byte a bucket to lock, and these, far beyond its end.
const (
	presenceByte = 1 << 40 // held for reading by whoever uses the store
	growByte     = presenceByte + 1
	bucketByte   = presenceByte + 4096
)

const (
	sessionMagic = "unpkvl01"
	sessionSize  = 4096 + 16*Buckets
	bucketsAt    = 4096
)

// session is the content of the lock file, shared by all who use the store: what they
// must agree on while they run. It means nothing after a reboot.
type session struct {
	memory     []byte
	salt       *atomic.Uint64 // of the file that it is about
	generation *atomic.Uint64 // rises by 2 with each rewriting; odd: in the middle of one
	tail       *atomic.Uint64 // where the next record goes
	allocated  *atomic.Uint64 // the file's size; what is beyond tail is zero
	live       *atomic.Int64  // keys
	liveBytes  *atomic.Int64  // of their records
	rewriteAt  *atomic.Uint64 // no rewriting before tail is here
	failed     *atomic.Uint64 // the errno of a flush that failed
}

// bucketState is a bucket's part of the session.
type bucketState struct {
	seq     atomic.Uint64 // odd: somebody is writing, or died doing so
	pending atomic.Uint64 // where that one's record is
}

func (s *session) bucket(b uint64) *bucketState {
	return (*bucketState)(unsafe.Pointer(&s.memory[bucketsAt+16*b]))
}

// mapSession maps a lock file. Its length must be right.
func mapSession(locks *reclock.Table, readOnly bool) (*session, error) {
	prot := unix.PROT_READ | unix.PROT_WRITE
	if readOnly {
		prot = unix.PROT_READ
	}
	memory, err := unix.Mmap(locks.Fd(), 0, sessionSize, prot, unix.MAP_SHARED)
	if err != nil {
		return nil, os.NewSyscallError("mmap", err)
	}
	word := func(at int) *atomic.Uint64 { return (*atomic.Uint64)(unsafe.Pointer(&memory[at])) }
	return &session{
		memory: memory, salt: word(64), generation: word(72), tail: word(80), allocated: word(88),
		live:      (*atomic.Int64)(unsafe.Pointer(&memory[96])),
		liveBytes: (*atomic.Int64)(unsafe.Pointer(&memory[104])),
		rewriteAt: word(112), failed: word(120),
	}, nil
}

func (s *session) close() error { return os.NewSyscallError("munmap", unix.Munmap(s.memory)) }

// stamp is what a session of this boot begins with.
var stamp = sync.OnceValue(func() []byte {
	b := make([]byte, 64)
	copy(b, sessionMagic)
	// Without /proc the boots look alike; the store then trusts its lock file.
	id, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	copy(b[8:], bytes.TrimSpace(id))
	return b
})

// stamped says that it was set up since the machine was started.
func (s *session) stamped() bool { return bytes.Equal(s.memory[:64], stamp()) }

func (s *session) valid() bool { return s.stamped() && s.failed.Load() == 0 }

// invalidate is for the time that a session is being set up.
func (s *session) invalidate() { clear(s.memory[:64]) }

func (s *session) validate() { copy(s.memory, stamp()) }

// checkLockFile looks at a lock file before it is used. ready: it has been set up.
func checkLockFile(locks *reclock.Table, path string) (ready bool, err error) {
	var st unix.Stat_t
	if err := unix.Fstat(locks.Fd(), &st); err != nil {
		return false, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return false, fmt.Errorf("%s: not a plain file", path)
	}
	first := make([]byte, len(sessionMagic))
	n, err := unix.Pread(locks.Fd(), first, 0)
	if err != nil {
		return false, &fs.PathError{Op: "read", Path: path, Err: err}
	}
	if first = first[:n]; string(first) != sessionMagic && !isZero(first) {
		return false, fmt.Errorf("%s: %w: not its lock file", path, ErrForeign)
	}
	return st.Size == sessionSize, nil
}

// makeLockFile gives a lock file its length, in blocks that are there: a hole could not
// be filled through memory when the disk is full.
func makeLockFile(locks *reclock.Table, path string) error {
	if err := writeAll(locks.Fd(), make([]byte, sessionSize), 0); err != nil {
		return &fs.PathError{Op: "write", Path: path, Err: err}
	}
	return nil
}

// writeAll is pwrite of everything.
func writeAll(fd int, b []byte, at uint64) error {
	for len(b) > 0 {
		n, err := unix.Pwrite(fd, b, int64(at))
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return err
		}
		b, at = b[n:], at+uint64(n)
	}
	return nil
}
