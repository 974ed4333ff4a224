package p09reclock

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/reclock"
)

// Options say how to open a store.
type Options struct {
	Create bool // if it is missing
	NoSync bool // do not flush: what was set survives this process, not a power failure
}

// Store is an open store. It may be used by several goroutines at once, and the same
// store may be open several times in a process.
type Store struct {
	path     string
	lockPath string
	options  Options
	locks    *reclock.Table // nil: nobody can write, so nobody locks
	presence *reclock.Locked
	session  *session // nil without locks
	readOnly bool

	mu   sync.RWMutex // guards file: held for reading while it is used
	file *file
}

var (
	// ErrNoKey is in the error for a key that is not in the store.
	ErrNoKey = errors.New("no such key")
	// ErrTooLong is in the error for a key or a value of more than [MaxLength] bytes.
	ErrTooLong = errors.New("longer than 1 MiB")

	errStale    = errors.New("the session does not fit")
	errReadOnly = fmt.Errorf("the store may not be written: %w", fs.ErrPermission)
)

func isReadOnly(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.EROFS) || errors.Is(err, unix.ETXTBSY)
}

// Open opens a store. One that may only be read is opened for that; what would change it
// then fails. A store that was not used since the machine was started is rewritten.
// Errors: fs.ErrNotExist; [ErrForeign]; [ErrDamaged].
func Open(path string, options Options) (*Store, error) {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // rewriting must not replace a symbolic link
	}
	d, err := openFile(path)
	switch {
	case err == nil:
		err = d.close()
	case options.Create && errors.Is(err, fs.ErrNotExist):
		err = nil
	}
	if err != nil {
		return nil, err // and no lock file was made
	}
	st := &Store{path: path, lockPath: path + ".lock", options: options}
	st.readOnly = d != nil && d.readOnly
	st.locks, err = reclock.OpenTable(st.lockPath, 0o600)
	switch {
	case err == nil:
		err = st.attach()
	case st.readOnly && (isReadOnly(err) || errors.Is(err, fs.ErrNotExist)):
		st.file, err = openFile(path) // nobody writes who has no lock file
	}
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	return st, nil
}

// How long to wait for others to leave: those who look at a session that is not set up
// leave at once, those who use one that is no longer good may stay.
const (
	patience     = time.Minute
	leavingUsers = 5 * time.Second
)

// attach joins the session, or sets it up when nobody else is there.
func (st *Store) attach() (err error) {
	defer unprotect(protect(), st.path, &err)
	for {
		if st.presence, err = st.lockAll(reclock.Read, presenceByte); err != nil {
			return err
		}
		if err = st.join(); !errors.Is(err, errStale) {
			return err
		}
		if err := st.presence.Unlock(); err != nil {
			return err
		}
		if st.readOnly {
			// Who may not write cannot set it up, and before that nobody writes.
			st.session = nil
			st.file, err = openFile(st.path)
			return err
		}
		wait := patience
		if st.session != nil && st.session.stamped() {
			wait = leavingUsers
		}
		ctx, cancel := context.WithTimeout(context.Background(), wait)
		alone, err := st.locks.Lock(ctx, reclock.Write, presenceByte)
		cancel()
		if errors.Is(err, context.DeadlineExceeded) {
			return fmt.Errorf("%s: it was replaced, or a flush failed, and others still use it", st.path)
		}
		if err == nil {
			// Another one may have been first.
			if err = st.join(); errors.Is(err, errStale) {
				err = st.setUp()
			}
			err = errors.Join(err, alone.Unlock())
		}
		if err != nil {
			return err
		}
	}
}

// join opens the file that the session is about. errStale: there is no such session.
func (st *Store) join() error {
	ready, err := checkLockFile(st.locks, st.lockPath)
	if err != nil {
		return err
	}
	if !ready {
		return errStale
	}
	if st.session == nil {
		if st.session, err = mapSession(st.locks, st.readOnly); err != nil {
			return err
		}
	}
	if !st.session.valid() {
		return errStale
	}
	return st.refresh()
}

// refresh opens the file anew when the store was rewritten. Without locks.
func (st *Store) refresh() error {
	st.mu.Lock()
	defer st.mu.Unlock()
	for {
		g := st.session.generation.Load()
		if st.file != nil && st.file.generation == g && !st.outgrown() {
			return nil
		}
		if g%2 != 0 {
			if err := st.settle(); err != nil {
				return err
			}
			continue
		}
		least := st.session.allocated.Load()
		d, err := openFile(st.path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if st.session.generation.Load() != g {
			if d != nil {
				_ = d.close()
			}
			continue // rewritten once more
		}
		if d == nil {
			return fmt.Errorf("%w: %w", errStale, err)
		}
		if d.salt != st.session.salt.Load() {
			_ = d.close()
			return errStale
		}
		if size := d.length.Load(); size < least {
			_ = d.close()
			return fmt.Errorf("%s: %w: cut off, %d bytes of %d", st.path, ErrDamaged, size, least)
		}
		d.generation = g
		if st.file != nil {
			_ = st.file.close()
		}
		st.file = d
		return nil
	}
}

// lockBuckets locks every bucket.
func (st *Store) lockBuckets(kind reclock.Kind) (*reclock.Locked, error) {
	all := make([]int64, Buckets)
	for b := range all {
		all[b] = bucketByte + int64(b)
	}
	return st.lockAll(kind, all...)
}

// lockAll locks bytes of the lock file, for one who holds none. The kernel, which takes a
// process for one waiter, may see a deadlock where other goroutines hold some; as this one
// has nothing to give up, it asks again.
func (st *Store) lockAll(kind reclock.Kind, bytes ...int64) (*reclock.Locked, error) {
	for pause := time.Microsecond; ; pause = min(2*pause, time.Millisecond) {
		l, err := st.locks.Lock(context.Background(), kind, bytes...)
		if err == nil {
			return l, nil
		}
		if !errors.Is(err, unix.EDEADLK) {
			return nil, fmt.Errorf("%s: %w", st.lockPath, err)
		}
		time.Sleep(pause)
	}
}

// settle waits for the end of a rewriting. One that was left behind by a killed process
// is done again: whether it came as far as to replace the file, both have all records.
func (st *Store) settle() error {
	all, err := st.lockBuckets(reclock.Write)
	if err != nil {
		return err
	}
	if st.session.generation.Load()%2 != 0 {
		err = st.rebuild(false)
	}
	return errors.Join(err, all.Unlock())
}

// Close leaves the store. What was set is there, or in the kernel's hands with NoSync.
func (st *Store) Close() error {
	var err error
	if st.file != nil {
		err = st.file.close()
	}
	if st.session != nil {
		err = errors.Join(err, st.session.close())
	}
	if st.presence != nil {
		err = errors.Join(err, st.presence.Unlock())
	}
	if st.locks != nil {
		err = errors.Join(err, st.locks.Close())
	}
	return err
}

// protect has a fault in mapped memory, of a file that somebody has cut off, panic, which
// unprotect turns into an error. To be used so, when nothing of it is put on the heap:
//
//	defer unprotect(protect(), path, &err)
func protect() (before bool) { return debug.SetPanicOnFault(true) }

func unprotect(before bool, path string, err *error) {
	debug.SetPanicOnFault(before)
	if e := recover(); e != nil {
		if _, fault := e.(interface{ Addr() uintptr }); !fault {
			panic(e)
		}
		*err = fmt.Errorf("%s: %w: it became shorter while in use", path, ErrDamaged)
	}
}

// Path is the store's file.
func (st *Store) Path() string { return st.path }

// ReadOnly says that the store can be read only.
func (st *Store) ReadOnly() bool { return st.readOnly }

// sync flushes what was written. A flush that failed cannot be made good by another one:
// the kernel has given the pages up. The store is closed to writers until all have left.
func (st *Store) sync() error {
	if st.options.NoSync {
		return nil
	}
	return flush(st.file.f, st.session)
}

func flush(f *os.File, s *session) error {
	err := unix.Fdatasync(int(f.Fd()))
	if err == nil {
		return nil
	}
	if errno, ok := err.(unix.Errno); ok {
		s.failed.Store(uint64(errno))
	}
	return &fs.PathError{Op: "fdatasync", Path: f.Name(), Err: err}
}
