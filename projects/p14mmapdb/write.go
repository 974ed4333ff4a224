package p14mmapdb

import (
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"
)

func (db *DB) writeAt(b []byte, offset int64) error {
	n, err := db.file.WriteAt(b, offset)
	if err == nil && n < len(b) {
		err = &fs.PathError{Op: "write", Path: db.path, Err: unix.EIO}
	}
	return err
}

// sync flushes the file. A flush that failed cannot be made good by another one: the kernel
// has given the pages up.
func (db *DB) sync() error {
	err := db.file.Sync()
	if err != nil {
		db.fail(err)
	}
	return err
}

func (db *DB) fail(err error) {
	errno := unix.EIO
	_ = errors.As(err, &errno)
	db.session.failed.Store(uint64(errno))
}

// enough to grow by at a time: growing costs a flush more than writing does.
const (
	growLeast = 1 << 20
	growMost  = 256 << 20
)

// grow makes the file at least size bytes long.
func (db *DB) grow(size int64) error {
	if size <= db.size {
		return nil
	}
	st, err := db.f.Stat()
	if err != nil {
		return err
	}
	if db.size = st.Size(); size <= db.size {
		return nil
	}
	if size > int64(len(db.memory)) || size > temporary*pageSize {
		return fmt.Errorf("%s: %w: it cannot grow beyond %d bytes while it is open", db.path, unix.EFBIG, len(db.memory))
	}
	ahead := max(size, min(db.size+max(growLeast, min(db.size/4, growMost)), int64(len(db.memory))))
	ahead = ahead / pageSize * pageSize
	if err = db.file.Allocate(ahead); err != nil && ahead > size {
		err = db.file.Allocate(size)
	}
	if err == nil {
		db.size = size // what is ahead is seen when it is needed
	}
	return err
}
