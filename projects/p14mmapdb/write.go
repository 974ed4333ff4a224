package p14mmapdb

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"golang.org/x/sys/unix"
)

func (db *DB) writeAt(b []byte, offset int64) error {
	n, err := db.file.WriteAt(b, offset)
	if err == nil && n < len(b) {
		err = &fs.PathError{Op: "write", Path: db.path, Err: unix.EIO}
	}
	return err
}

const (
	// writeAtOnce is the most that one write brings, in bytes. The kernel keeps what one write
	// brought together from then on, as a folio, and goes through all that is in it when a
	// page of it is written or flushed again.
	writeAtOnce = 32 << 10
	// bulkAtOnce is the same for a transaction of more pages than a meta page lists: what
	// came in bulk is read more than written, and a large folio is mapped by one fault.
	bulkAtOnce = 1 << 20
	// startAt is how much is written before the disk is told to begin.
	startAt = 128 << 10
)

// writePages writes runs of pages, those that are side by side in the file together.
func (db *DB) writePages(out []sealed) error {
	slices.SortFunc(out, func(a, b sealed) int { return cmp.Compare(a.page, b.page) })
	starter, ok := db.file.(Starter)
	ok = ok && !db.options.NoSync
	limit := writeAtOnce
	if len(out) > maxListed {
		limit = bulkAtOnce
	}
	from, written := int64(0), 0
	for len(out) > 0 {
		start, b := out[0].page, out[0].bytes
		for out = out[1:]; len(out) > 0 && pageAfter(start, b) == out[0].page; out = out[1:] {
			if len(b)+len(out[0].bytes) > limit {
				break
			}
			b = db.join(b, out[0].bytes)
		}
		offset := int64(start) * pageSize
		for at := 0; at < len(b); at += limit {
			if err := db.writeAt(b[at:min(at+limit, len(b))], offset+int64(at)); err != nil {
				return err
			}
		}
		if written == 0 {
			from = offset
		}
		if written += len(b); ok && (written >= startAt || len(out) == 0) {
			starter.Start(from, offset+int64(len(b)))
			written = 0
		}
	}
	return nil
}

func pageAfter(start uint32, b []byte) uint32 { return start + uint32(len(b)/pageSize) }

// join is a and b side by side: as they are if they lie so in memory, else a copy.
func (db *DB) join(a, b []byte) []byte {
	n := len(a) + len(b)
	if n <= cap(a) && &a[:n][len(a)] == &b[0] {
		return a[:n]
	}
	if len(db.staging) != len(a) || &a[0] != &db.staging[0] {
		db.staging = append(db.staging[:0], a...)
	}
	db.staging = append(db.staging, b...)
	return db.staging
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
