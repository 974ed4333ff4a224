package reclock

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// Manager locks single bytes of one file for the goroutines of this process: against each
// other and, by locks of [Process], against other processes, which see one owner. To the
// kernel it goes only when the first goroutine comes and when the last one leaves.
//
// There is one Manager a process and file, whoever opens it: a second descriptor, once
// closed, would drop the locks of the first. Nobody else may open the file in this
// process. The goroutines are served in order of arrival; a waiting writer holds up later
// readers of this process, though not those of others.
type Manager struct {
	// The descriptors of the file: the first one is used, the others only kept open.
	files []*os.File
	fd    int // of the first one
	id    fileID
	opens int // guarded by managers.mu

	mu    sync.Mutex
	bytes map[int64]*byteState
}

type fileID struct{ dev, ino uint64 }

// managers are those of this process.
var managers = struct {
	mu   sync.Mutex
	byID map[fileID]*Manager
}{byID: map[fileID]*Manager{}}

// OpenManager opens a file for locking and creates it if it is missing, with exactly this
// mode. Where the file may not be written, bytes can be locked for [Read] only.
// Errors: *fs.PathError (ENOENT, EACCES, EROFS).
func OpenManager(path string, mode os.FileMode) (*Manager, error) {
	managers.mu.Lock()
	defer managers.mu.Unlock()
	// Not by opening it: closing that descriptor would be too late.
	if id, err := identify(path); err == nil && managers.byID[id] != nil {
		m := managers.byID[id]
		m.opens++
		return m, nil
	}
	f, err := open(path, mode)
	if err != nil {
		return nil, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		// Nobody knows whose it is, so it stays open.
		return nil, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	id := fileID{st.Dev, st.Ino}
	m := managers.byID[id]
	if m == nil {
		m = &Manager{fd: int(f.Fd()), id: id, bytes: map[int64]*byteState{}}
		managers.byID[id] = m
	}
	// A file that was renamed to path since it was looked for: its Manager keeps this
	// descriptor to the end.
	m.files = append(m.files, f)
	m.opens++
	return m, nil
}

func identify(path string) (fileID, error) {
	var st unix.Stat_t
	err := unix.Stat(path, &st)
	return fileID{st.Dev, st.Ino}, err
}

func open(path string, mode os.FileMode) (*os.File, error) {
	for {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.EROFS) {
			return os.OpenFile(path, os.O_RDONLY, 0)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return f, err
		}
		f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, mode)
		if errors.Is(err, fs.ErrExist) {
			continue // made by somebody else just now
		}
		if err == nil {
			err = f.Chmod(mode) // whatever the umask
		}
		return f, err
	}
}

// Close ends one use of the Manager. The last one closes the file, and locks that are
// still held are gone.
func (m *Manager) Close() error {
	managers.mu.Lock()
	defer managers.mu.Unlock()
	if m.opens--; m.opens > 0 {
		return nil
	}
	delete(managers.byID, m.id)
	var err error
	for _, f := range m.files {
		err = errors.Join(err, f.Close())
	}
	return err
}

// Fd is the descriptor of the locked file, to read and write it. It must not be closed,
// nor used for locking.
func (m *Manager) Fd() int { return m.fd }

// Lock locks bytes, in ascending order, and sleeps while others hold one of them in a way
// that conflicts. The order keeps two who lock all at once from a deadlock; one who asks
// again while it holds bytes may deadlock, which is told apart only between processes.
// When ctx ends first, or after another error, no byte is locked.
// Errors: EDEADLK; EBADF (to write a file that may not be written).
func (m *Manager) Lock(ctx context.Context, kind Kind, offsets ...int64) (*Locked, error) {
	return m.lock(offsets, kind, func(offset int64) error { return m.acquire(ctx, kind, offset) })
}

// TryLock is [Manager.Lock] that never sleeps. Error: EAGAIN.
func (m *Manager) TryLock(kind Kind, offsets ...int64) (*Locked, error) {
	return m.lock(offsets, kind, func(offset int64) error { return m.try(kind, offset) })
}

func (m *Manager) lock(offsets []int64, kind Kind, one func(offset int64) error) (*Locked, error) {
	if kind != Read && kind != Write {
		return nil, os.NewSyscallError("fcntl", unix.EINVAL)
	}
	l := &Locked{m: m, offsets: offsets}
	if len(offsets) > 1 {
		l.offsets = slices.Compact(slices.Sorted(slices.Values(offsets)))
	}
	for i, offset := range l.offsets {
		if err := one(offset); err != nil {
			l.offsets = l.offsets[:i]
			if failed := l.Unlock(); failed != nil {
				return nil, errors.Join(err, failed)
			}
			return nil, err
		}
	}
	return l, nil
}

// Locked are bytes that one goroutine holds.
type Locked struct {
	m       *Manager
	offsets []int64
}

// Unlock gives the bytes back, once. Error: ENOLCK, with all of them given back but to
// other processes.
func (l *Locked) Unlock() error {
	var err error
	for _, offset := range l.offsets {
		if e := l.m.release(offset); e != nil {
			err = fmt.Errorf("byte %d: %w", offset, e)
		}
	}
	l.offsets = nil
	return err
}
