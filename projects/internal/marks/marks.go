// Package marks remembers named objects, so that one that a killed program has left is
// found again: the kernel tells of a System V queue or a socket's name neither which
// program made it nor whether one still uses it.
//
// A mark is a small file in the temporary folder ($TMPDIR, or /tmp):
//
//	unpipc-mark-1000-lecture-7-queue-9c2e…   user, scope, kind, FNV-1a (64 bits) of the name
//	32769 0x07010005                         identifier, or inode number; the name
//
// Whoever uses the object has the file locked, for writing ([Claim]: alone) or for reading
// ([Share]), by a lock of the open file description, which the kernel drops with the
// process. So a mark that nobody has locked is of an object that nobody uses, and
// programs that take over what is left under a name do it one after the other. See
// ref/mark.h, which has the same for C.
package marks

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"unpipc/gobind/reclock"
)

// Kind is what an object is.
type Kind string

// The kinds, and by what they are named and told apart.
const (
	FIFO       Kind = "fifo"       // path; inode
	Socket     Kind = "socket"     // path; inode
	Semaphore  Kind = "semaphore"  // POSIX name; inode of what is in /dev/shm
	Queue      Kind = "queue"      // key, of System V; msqid
	Semaphores Kind = "semaphores" // key; semid
	Segment    Kind = "segment"    // key; shmid
)

// ErrInUse is in the error of [Claim] when another process has the object.
var ErrInUse = errors.New("another process has it")

var (
	errReplaced = errors.New("keeps being replaced")
	errNotOurs  = errors.New("not a file of this user's")
)

// Mark is a mark that this process has locked.
type Mark struct {
	file *os.File
	name string
}

// Claim marks an object, which is about to be made, as this process's alone. Scope is the
// program, or several that work together. Errors: [ErrInUse], *fs.PathError.
func Claim(scope string, kind Kind, name string) (*Mark, error) {
	return lock(scope, kind, name, os.O_CREATE, func(fd int) error {
		err := reclock.Description.TryLock(fd, reclock.Write, reclock.All)
		if errors.Is(err, unix.EAGAIN) {
			return fmt.Errorf("%s: %w", name, ErrInUse)
		}
		return err
	})
}

// Share marks an object, which is there, as used by this process. What this process has
// not made, it marks only if whoever has made it did: else it is no object of ours, and
// the mark is nil. Errors: *fs.PathError.
func Share(scope string, kind Kind, name string, id int, made bool) (*Mark, error) {
	flags := 0
	if made {
		flags = os.O_CREATE
	}
	m, err := lock(scope, kind, name, flags, func(fd int) error {
		// Nobody has it for writing but for a moment, to remove what was left.
		return reclock.Description.Lock(fd, reclock.Read, reclock.All)
	})
	if err != nil {
		if !made && errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return nil, err
	}
	if made {
		err = m.Record(uint64(id))
	} else if recorded, _, ok := m.record(); !ok || recorded != uint64(id) {
		return nil, m.Leave() // of an earlier object
	}
	if err != nil {
		return nil, errors.Join(err, m.Leave())
	}
	return m, nil
}

// lock opens the mark of an object and locks it. It may be one that another process is
// just removing, so its name is looked at again.
func lock(scope string, kind Kind, name string, flags int, lock func(fd int) error) (*Mark, error) {
	if kind == FIFO || kind == Socket {
		dir, err := filepath.Abs(filepath.Dir(name))
		if err == nil {
			dir, err = filepath.EvalSymlinks(dir)
		}
		if err != nil {
			return nil, &fs.PathError{Op: "open", Path: name, Err: unix.ENOENT}
		}
		name = filepath.Join(dir, filepath.Base(name))
	}
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(name))
	path := fmt.Sprintf("%s%s-%016x", prefix(scope), kind, hash.Sum64())
	for range 100 {
		f, err := open(path, flags)
		if err != nil {
			return nil, err
		}
		m := &Mark{f, name}
		if err = lock(int(f.Fd())); err != nil {
			return nil, errors.Join(err, f.Close())
		}
		if m.named() {
			return m, nil
		}
		_ = f.Close()
	}
	return nil, &fs.PathError{Op: "lock", Path: path, Err: errReplaced}
}

// open opens a mark, which must be this user's: what stands in it is believed.
func open(path string, flags int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NOFOLLOW|flags, 0o600)
	if err != nil {
		return nil, err
	}
	var st unix.Stat_t
	err = unix.Fstat(int(f.Fd()), &st)
	if err == nil && (st.Mode&unix.S_IFMT != unix.S_IFREG || int(st.Uid) != os.Geteuid()) {
		err = errNotOurs
	}
	if err != nil {
		return nil, errors.Join(&fs.PathError{Op: "open", Path: path, Err: err}, f.Close())
	}
	return f, nil
}

// prefix is what the paths of a scope's marks begin with.
func prefix(scope string) string {
	return filepath.Join(os.TempDir(), fmt.Sprintf("unpipc-mark-%d-%s-", os.Geteuid(), scope))
}

// named says whether the file still has its name.
func (m *Mark) named() bool {
	there, err := os.Lstat(m.file.Name())
	if err != nil {
		return false
	}
	own, err := m.file.Stat()
	return err == nil && os.SameFile(there, own)
}

// Record notes which object it is, by the identifier or the inode number.
func (m *Mark) Record(id uint64) error {
	text := fmt.Appendf(nil, "%d %s\n", id, m.name)
	if _, err := m.file.WriteAt(text, 0); err != nil {
		return err
	}
	return m.file.Truncate(int64(len(text)))
}

// record is what was noted; ok is false if nothing was.
func (m *Mark) record() (id uint64, name string, ok bool) {
	text, _ := io.ReadAll(io.NewSectionReader(m.file, 0, 1<<16))
	number, name, _ := strings.Cut(strings.TrimSuffix(string(text), "\n"), " ")
	id, err := strconv.ParseUint(number, 10, 64)
	return id, name, err == nil
}

// RecordFile is [Mark.Record] of what has an inode.
func (m *Mark) RecordFile(path string) error {
	inode, err := inodeOf(path)
	if err != nil {
		return err
	}
	return m.Record(inode)
}

func inodeOf(path string) (uint64, error) {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return 0, &fs.PathError{Op: "lstat", Path: path, Err: err}
	}
	return st.Ino, nil
}

// Remove removes the mark, if there is one. To be called when the object is gone, or was
// never there.
func (m *Mark) Remove() error {
	if m == nil {
		return nil
	}
	return errors.Join(os.Remove(m.file.Name()), m.file.Close())
}

// Leave leaves the object and its mark, if there is one, to others.
func (m *Mark) Leave() error {
	if m == nil {
		return nil
	}
	return m.file.Close()
}
