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

// Table locks single bytes of one file for the goroutines of this process: against each
// other and, by locks of [Process], against other processes, which see one owner. To the
// kernel it goes only when the first goroutine comes and when the last one leaves.
//
// There is one Table a process and file, whoever opens it: a second descriptor, once
// closed, would drop the locks of the first. Nobody else may open the file in this
// process. The goroutines are served in order of arrival; a waiting writer holds up later
// readers of this process, though not those of others.
type Table struct {
	// The descriptors of the file: the first one is used, the others only kept open.
	files []*os.File
	fd    int // of the first one
	id    fileID
	opens int // guarded by tables.mu

	mu    sync.Mutex
	bytes map[int64]*byteState
}

type fileID struct{ dev, ino uint64 }

// tables are those of this process.
var tables = struct {
	mu   sync.Mutex
	byID map[fileID]*Table
}{byID: map[fileID]*Table{}}

// OpenTable opens a file for locking and creates it if it is missing, with exactly this
// mode. Where the file may not be written, bytes can be locked for [Read] only.
// Errors: *fs.PathError (ENOENT, EACCES, EROFS).
func OpenTable(path string, mode os.FileMode) (*Table, error) {
	tables.mu.Lock()
	defer tables.mu.Unlock()
	// Not by opening it: closing that descriptor would be too late.
	if id, err := identify(path); err == nil && tables.byID[id] != nil {
		t := tables.byID[id]
		t.opens++
		return t, nil
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
	t := tables.byID[id]
	if t == nil {
		t = &Table{fd: int(f.Fd()), id: id, bytes: map[int64]*byteState{}}
		tables.byID[id] = t
	}
	// A file that was renamed to path since it was looked for: its Table keeps this
	// descriptor to the end.
	t.files = append(t.files, f)
	t.opens++
	return t, nil
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

// Close ends one use of the Table. The last one closes the file, and locks that are
// still held are gone.
func (t *Table) Close() error {
	tables.mu.Lock()
	defer tables.mu.Unlock()
	if t.opens--; t.opens > 0 {
		return nil
	}
	delete(tables.byID, t.id)
	var err error
	for _, f := range t.files {
		err = errors.Join(err, f.Close())
	}
	return err
}

// Fd is the descriptor of the locked file, to read and write it. It must not be closed,
// nor used for locking.
func (t *Table) Fd() int { return t.fd }

// Lock locks bytes, in ascending order, and sleeps while others hold one of them in a way
// that conflicts. The order keeps two who lock all at once from a deadlock; one who asks
// again while it holds bytes may deadlock, which is told apart only between processes.
// When ctx ends first, or after another error, no byte is locked.
// Errors: EDEADLK; EBADF (to write a file that may not be written).
func (t *Table) Lock(ctx context.Context, kind Kind, offsets ...int64) (*Locked, error) {
	return t.lock(offsets, kind, func(offset int64) error { return t.acquire(ctx, kind, offset) })
}

// TryLock is [Table.Lock] that never sleeps. Error: EAGAIN.
func (t *Table) TryLock(kind Kind, offsets ...int64) (*Locked, error) {
	return t.lock(offsets, kind, func(offset int64) error { return t.try(kind, offset) })
}

func (t *Table) lock(offsets []int64, kind Kind, one func(offset int64) error) (*Locked, error) {
	if kind != Read && kind != Write {
		return nil, os.NewSyscallError("fcntl", unix.EINVAL)
	}
	l := &Locked{t: t, offsets: offsets}
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
	t       *Table
	offsets []int64
}

// Unlock gives the bytes back, once. Error: ENOLCK, with all of them given back but to
// other processes.
func (l *Locked) Unlock() error {
	var err error
	for _, offset := range l.offsets {
		if e := l.t.release(offset); e != nil {
			err = fmt.Errorf("byte %d: %w", offset, e)
		}
	}
	l.offsets = nil
	return err
}
