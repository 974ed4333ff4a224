package p14mmapdb

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"unpipc/gobind/mmap"
	"unpipc/gobind/reclock"
)

// session is the lock file: what all who have the database open share.
type session struct {
	path     string
	f        *os.File
	readOnly bool
	frozen   bool // it is not set up, and while this one is here nobody can
	memory   []byte

	newest  *atomic.Uint64
	durable *atomic.Uint64
	failed  *atomic.Uint64
	used    *atomic.Uint64

	mu    sync.Mutex
	own   map[int]bool // slots of this description
	idle  []int        // those of them that nobody uses
	plain int          // readers without a slot
}

const owner = reclock.Description

// lock offsets are single bytes.
func (s *session) lock(ctx context.Context, kind reclock.Kind, offset int64) error {
	return s.named(owner.LockContext(ctx, s.fd(), kind, reclock.Bytes(offset, 1)))
}

func (s *session) unlock(offset int64) error {
	return s.named(owner.Unlock(s.fd(), reclock.Bytes(offset, 1)))
}

// tryLock says whether it was possible.
func (s *session) tryLock(kind reclock.Kind, offset int64) (bool, error) {
	err := owner.TryLock(s.fd(), kind, reclock.Bytes(offset, 1))
	if errors.Is(err, unix.EAGAIN) {
		return false, nil
	}
	return err == nil, s.named(err)
}

func (s *session) named(err error) error {
	var call *os.SyscallError
	if errors.As(err, &call) {
		return &fs.PathError{Op: "lock", Path: s.path, Err: call.Err}
	}
	return err
}

func (s *session) fd() int { return int(s.f.Fd()) }

// openSession joins the session of a database, or begins one by setUp.
func openSession(path string, setUp func(*session) error) (*session, error) {
	for {
		s := &session{path: path, own: map[int]bool{}}
		var err error
		s.f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NONBLOCK|unix.O_NOFOLLOW, 0o600)
		if isReadOnly(err) {
			s.readOnly = true
			s.f, err = os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
		}
		if err != nil {
			return nil, err
		}
		again, err := s.join(setUp)
		if err == nil && !again {
			return s, nil
		}
		if e := s.close(); err == nil {
			err = e
		}
		if err != nil {
			return nil, err
		}
	}
}

// join gets the lock by which one is in the session. again: the file was removed meanwhile.
func (s *session) join(setUp func(*session) error) (again bool, err error) {
	if err := s.plainFile(); err != nil {
		return false, err
	}
	ctx := context.Background()
	alone := false
	if !s.readOnly {
		if alone, err = s.tryLock(reclock.Write, sessionByte); err != nil {
			return false, err
		}
	}
	if !alone {
		if err := s.lock(ctx, reclock.Read, sessionByte); err != nil {
			return false, err
		}
		if gone, err := s.gone(); gone || err != nil {
			return gone, err
		}
		ready, err := s.attach(false)
		if ready || err != nil {
			return false, err
		}
		if s.readOnly {
			s.frozen = true
			return false, nil
		}
		// Its maker died, or is still waiting for all who look to leave.
		if err := s.unlock(sessionByte); err != nil {
			return false, err
		}
		if err := s.lock(ctx, reclock.Write, sessionByte); err != nil {
			return false, err
		}
	}
	if gone, err := s.gone(); gone || err != nil {
		return gone, err
	}
	if _, err := s.attach(true); err != nil {
		return false, err
	}
	if err := s.begin(setUp); err != nil {
		return false, err
	}
	return false, s.lock(ctx, reclock.Read, sessionByte)
}

// plainFile looks at the lock file before it is changed.
func (s *session) plainFile() error {
	var st unix.Stat_t
	if err := unix.Fstat(s.fd(), &st); err != nil {
		return &fs.PathError{Op: "stat", Path: s.path, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return fmt.Errorf("%s: %w: not a plain file", s.path, ErrForeign)
	}
	first := make([]byte, len(lockMagic))
	n, err := unix.Pread(s.fd(), first, 0)
	if err != nil {
		return &fs.PathError{Op: "read", Path: s.path, Err: err}
	}
	if m := string(first[:n]); n > 0 && m != lockMagic && m != string(make([]byte, n)) {
		return fmt.Errorf("%s: %w: not its lock file", s.path, ErrForeign)
	}
	return nil
}

// gone says that the name stands for another file by now, or for none.
func (s *session) gone() (bool, error) {
	var here, there unix.Stat_t
	if err := unix.Fstat(s.fd(), &here); err != nil {
		return false, &fs.PathError{Op: "stat", Path: s.path, Err: err}
	}
	if err := unix.Stat(s.path, &there); err != nil && err != unix.ENOENT {
		return false, &fs.PathError{Op: "stat", Path: s.path, Err: err}
	}
	return here.Dev != there.Dev || here.Ino != there.Ino, nil
}

// attach maps the lock file. ready: the session is set up. Where extend is set, the file is
// made as long as it must be.
func (s *session) attach(extend bool) (ready bool, err error) {
	if s.memory != nil {
		return s.ready(), nil
	}
	if extend {
		err = osFile{s.f}.Allocate(lockSize)
	} else if st, e := s.f.Stat(); e != nil || st.Size() < lockSize {
		return false, e
	}
	if err != nil {
		return false, err
	}
	protection := unix.PROT_READ | unix.PROT_WRITE
	if s.readOnly {
		protection = unix.PROT_READ
	}
	if s.memory, err = mmap.Map(s.fd(), 0, lockSize, protection, unix.MAP_SHARED); err != nil {
		return false, fmt.Errorf("%s: %w", s.path, err)
	}
	s.newest, s.durable = s.word(newestAt), s.word(durableAt)
	s.failed, s.used = s.word(failedAt), s.word(usedAt)
	return s.ready(), nil
}

func (s *session) word(at int) *atomic.Uint64 {
	return (*atomic.Uint64)(unsafe.Pointer(&s.memory[at]))
}

// slot is the transaction whose state the owner of slot i reads.
func (s *session) slot(i int) *atomic.Uint64 { return s.word(slotsAt + slotSize*i) }

func (s *session) slotPID(i int) *atomic.Uint64 { return s.word(slotsAt + slotSize*i + 8) }

func (s *session) magic() uint64 { return le64([]byte(lockMagic)) }

func (s *session) ready() bool {
	return s.word(0).Load() == s.magic() && le32(s.memory[8:]) == version && le32(s.memory[12:]) == lockSlots
}

// begin makes the session anew; nobody else is in it.
func (s *session) begin(setUp func(*session) error) error {
	if !s.ready() {
		clear(s.memory[:slotsAt]) // one who claims a slot empties it
	}
	// setUp reads what a session has left in which a flush failed.
	before := s.failed.Load()
	if err := setUp(s); err != nil {
		return err
	}
	s.word(0).Store(0)
	newest, failed, durable := s.newest.Load(), s.failed.Load(), s.durable.Load()
	clear(s.memory[:slotsAt+slotSize*min(s.used.Load(), lockSlots)])
	put32(s.memory[8:], version)
	put32(s.memory[12:], lockSlots)
	s.newest.Store(newest)
	s.durable.Store(durable)
	s.failed.Store(failed)
	if before != 0 && failed == 0 {
		// If the power failed and the old words came back, what is written from now on
		// would be taken back.
		if err := s.f.Sync(); err != nil {
			return err
		}
	}
	s.word(0).Store(s.magic())
	return nil
}

func (s *session) close() error {
	var err error
	if s.memory != nil {
		err = mmap.Unmap(s.memory)
	}
	// Closing would unlock too, but not while a child that another goroutine is starting has
	// the descriptor, between fork and exec.
	return errors.Join(err, s.named(owner.Unlock(s.fd(), reclock.Range{})), s.f.Close())
}
