package p14mmapdb

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"unpipc/gobind/mmap"
)

// File is what a database changes its file by. Reading is through the mapping.
type File interface {
	// WriteAt is pwrite(2) of all of b.
	WriteAt(b []byte, offset int64) (n int, err error)
	// Allocate makes the file longer, to size bytes, all of them with a place on the disk.
	Allocate(size int64) error
	// Sync is fdatasync(2).
	Sync() error
}

// Starter is a [File] that can have the disk begin with what was written between two bytes, so
// that Sync has less to wait for. It waits for nothing, and reports nothing: Sync does.
type Starter interface{ Start(from, to int64) }

// osFile is the File of the operating system.
type osFile struct{ *os.File }

func (f osFile) Allocate(size int64) error {
	st, err := f.Stat()
	if err != nil || st.Size() >= size {
		return err
	}
	for {
		err = unix.Fallocate(int(f.Fd()), 0, st.Size(), size-st.Size())
		if err != unix.EINTR {
			break
		}
	}
	if err == unix.EOPNOTSUPP {
		zeros := make([]byte, 1<<20)
		for at := st.Size(); at < size && err == unix.EOPNOTSUPP || err == nil && at < size; at += int64(len(zeros)) {
			_, err = f.WriteAt(zeros[:min(int64(len(zeros)), size-at)], at)
		}
	}
	if errno, ok := err.(unix.Errno); ok {
		return &fs.PathError{Op: "fallocate", Path: f.Name(), Err: errno}
	}
	return err
}

func (f osFile) Sync() error {
	for {
		err := unix.Fdatasync(int(f.Fd()))
		if err == nil {
			return nil
		}
		if err != unix.EINTR {
			return &fs.PathError{Op: "fdatasync", Path: f.Name(), Err: err}
		}
	}
}

// Start is sync_file_range(2), of which nothing is promised.
func (f osFile) Start(from, to int64) {
	_ = unix.SyncFileRange(int(f.Fd()), from, to-from, unix.SYNC_FILE_RANGE_WRITE)
}

// isReadOnly says that a file may be read, and not written.
func isReadOnly(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.EROFS) || errors.Is(err, unix.ETXTBSY)
}

// openFile opens a database's file and looks at its header.
func openFile(path string, readOnly bool) (f *os.File, only bool, err error) {
	if !readOnly {
		f, err = os.OpenFile(path, os.O_RDWR|unix.O_NONBLOCK, 0)
	}
	if readOnly || isReadOnly(err) {
		only = true
		f, err = os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	}
	if err != nil {
		return nil, only, err
	}
	var st unix.Stat_t
	if err = unix.Fstat(int(f.Fd()), &st); err == nil && st.Mode&unix.S_IFMT != unix.S_IFREG {
		err = fmt.Errorf("%w: not a plain file", ErrForeign)
	}
	if err == nil {
		first := make([]byte, pageSize)
		var n int
		if n, err = unix.Pread(int(f.Fd()), first, 0); err == nil {
			err = checkHeader(first[:n])
		}
	}
	if err == nil && st.Size < firstPage*pageSize {
		err = fmt.Errorf("%w: cut off, %d bytes", ErrDamaged, st.Size)
	}
	if err != nil {
		_ = f.Close()
		return nil, only, fmt.Errorf("%s: %w", path, err)
	}
	return f, only, nil
}

// reserved is how much address space a database gets: what it can grow to while it is open.
const reserved = 1 << 40

// reserve maps a file, and more than it has, so that it can grow.
func reserve(f *os.File) ([]byte, error) {
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	for length := max(reserved, int(st.Size())); ; length /= 2 {
		memory, err := mmap.Map(int(f.Fd()), 0, length, unix.PROT_READ, unix.MAP_SHARED|unix.MAP_NORESERVE)
		if err == nil {
			return memory, nil
		}
		if length/2 < int(st.Size())+pageSize {
			return nil, fmt.Errorf("%s: %w", f.Name(), err)
		}
	}
}
