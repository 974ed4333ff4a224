package p14mmapdb

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Create makes an empty database of at least so many bytes and mode 0600. It is there as a
// whole or not at all, and on the disk when Create returns. Error: fs.ErrExist.
func Create(path string, size int64) error {
	return publishFile(path, func(f *os.File) error { return writeEmpty(osFile{f}, size) })
}

// writeEmpty writes what an empty database has.
func writeEmpty(f File, size int64) error {
	if err := f.Allocate(max(firstPage, (size+pageSize-1)/pageSize) * pageSize); err != nil {
		return err
	}
	b := encodeHeader()
	for at := uint32(1); at < firstPage; at++ {
		m := meta{at: at, tx: uint64(1 + at), pages: firstPage}
		b = append(b, m.encode()...)
	}
	if _, err := f.WriteAt(b, 0); err != nil {
		return err
	}
	return f.Sync()
}

// publishFile makes a file under a name that nobody has, when fill has filled it.
func publishFile(path string, fill func(f *os.File) error) (err error) {
	if _, err := os.Lstat(path); err == nil {
		return &fs.PathError{Op: "create", Path: path, Err: unix.EEXIST}
	}
	dir := filepath.Dir(path)
	f, temporary, err := unnamed(dir, path)
	if err != nil {
		return err
	}
	defer func() {
		if temporary != "" {
			err = errors.Join(err, os.Remove(temporary))
		}
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	if err := f.Chmod(0o600); err != nil {
		return err
	}
	if err := fill(f); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	from, flags := temporary, 0
	if temporary == "" {
		from, flags = fmt.Sprintf("/proc/self/fd/%d", f.Fd()), unix.AT_SYMLINK_FOLLOW
	}
	if err := unix.Linkat(unix.AT_FDCWD, from, unix.AT_FDCWD, path, flags); err != nil {
		return &fs.PathError{Op: "create", Path: path, Err: err}
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// unnamed is a new file without a name, or, where there is no such thing, with one that is to
// be removed.
func unnamed(dir, path string) (f *os.File, temporary string, err error) {
	fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	switch {
	case err == nil:
		if _, err := os.Stat(fmt.Sprintf("/proc/self/fd/%d", fd)); err == nil {
			return os.NewFile(uintptr(fd), path), "", nil
		}
		_ = unix.Close(fd) // without /proc it would never get a name
	case err != unix.EOPNOTSUPP && err != unix.EISDIR && err != unix.EINVAL:
		return nil, "", &fs.PathError{Op: "create", Path: path, Err: err}
	}
	f, err = os.CreateTemp(dir, fmt.Sprintf("unpipc-%d-mmapdb-*", os.Getpid()))
	if err != nil {
		return nil, "", err
	}
	return f, f.Name(), nil
}
