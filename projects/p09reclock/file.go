package p09reclock

import (
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// file is one file of a store, open and mapped for reading. It is changed by pwrite: a
// byte stored through the mapping would have a flush write the whole page, or a large
// folio of them.
type file struct {
	header
	f          *os.File
	path       string
	generation uint64
	readOnly   bool
	bytes      []byte        // more than the file has, so that it can grow
	length     atomic.Uint64 // as last seen; it only grows
}

// reserved is how much address space a store gets at least: more than most will need.
const reserved = 64 << 30

// openFile opens a store's file. Errors: *fs.PathError; [ErrForeign]; [ErrDamaged].
func openFile(path string) (*file, error) {
	d := &file{path: path}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if isReadOnly(err) {
		d.readOnly = true
		f, err = os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	}
	if err != nil {
		return nil, err
	}
	d.f = f
	if err := d.read(); err != nil {
		_ = f.Close()
		return nil, err
	}
	for length := max(reserved, 4*int(d.length.Load())); ; length /= 2 {
		d.bytes, err = unix.Mmap(int(f.Fd()), 0, length, unix.PROT_READ, unix.MAP_SHARED|unix.MAP_NORESERVE)
		if err == nil {
			return d, nil
		}
		if uint64(length) < 2*d.length.Load() {
			_ = f.Close()
			return nil, &fs.PathError{Op: "mmap", Path: path, Err: err}
		}
	}
}

// read reads the header.
func (d *file) read() error {
	var st unix.Stat_t
	if err := unix.Fstat(int(d.f.Fd()), &st); err != nil {
		return &fs.PathError{Op: "stat", Path: d.path, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return fmt.Errorf("%s: %w: not a plain file", d.path, ErrForeign)
	}
	first := make([]byte, headerUsed)
	n, err := unix.Pread(int(d.f.Fd()), first, 0)
	if err != nil {
		return &fs.PathError{Op: "read", Path: d.path, Err: err}
	}
	d.length.Store(uint64(st.Size))
	if d.header, err = decodeHeader(first[:n], st.Size); err != nil {
		return fmt.Errorf("%s: %w", d.path, err)
	}
	return nil
}

func (d *file) close() error {
	err := unix.Munmap(d.bytes)
	if e := d.f.Close(); err == nil {
		err = e
	}
	return err
}

// damaged is an error about a place in the file.
func (d *file) damaged(at uint64, what string) error {
	return fmt.Errorf("%s: %w at byte %d: %s", d.path, ErrDamaged, at, what)
}

// from is the file from a place on; ok is false where there is not that much of it.
func (d *file) from(at, length uint64) (b []byte, ok bool) {
	size := d.length.Load()
	if at+length > size {
		var st unix.Stat_t
		if unix.Fstat(int(d.f.Fd()), &st) != nil {
			return nil, false
		}
		if size = min(uint64(st.Size), uint64(len(d.bytes))); at+length > size {
			return nil, false
		}
		d.length.Store(size)
	}
	return d.bytes[at:size], true
}

// follow reads the link at a place. pos is 0 at the end of a chain.
func (d *file) follow(at uint64) (pos uint64, err error) {
	b, ok := d.from(at, 8)
	if !ok {
		return 0, d.damaged(at, "cut off")
	}
	// Atomic: a reader without a lock reads it between two looks at the bucket's counter.
	word := atomic.LoadUint64((*uint64)(unsafe.Pointer(&b[0])))
	pos = word & posMask
	if d.link(at, pos) != word {
		return 0, d.damaged(at, "a link's check is wrong")
	}
	if pos != 0 && (pos < d.start() || pos%align != 0) {
		return 0, d.damaged(at, "a link leads nowhere")
	}
	return pos, nil
}

// setLink writes the link at a place.
func (d *file) setLink(at, pos uint64) error {
	return d.write(binary.LittleEndian.AppendUint64(nil, d.link(at, pos)), at)
}

func (d *file) write(b []byte, at uint64) error {
	if err := writeAll(int(d.f.Fd()), b, at); err != nil {
		return &fs.PathError{Op: "write", Path: d.path, Err: err}
	}
	return nil
}

// record reads the record at a place, with its checksums.
func (d *file) record(pos uint64) (r record, key, value []byte, err error) {
	b, ok := d.from(pos, recordHeader)
	if !ok {
		return r, nil, nil, d.damaged(pos, "cut off")
	}
	if r, ok = d.decode(b, pos); !ok {
		return r, nil, nil, d.damaged(pos, "the checksum of a record's header is wrong")
	}
	if b, ok = d.from(pos, r.size()); !ok {
		return r, nil, nil, d.damaged(pos, "cut off")
	}
	if key, value, ok = r.content(b); !ok {
		return r, nil, nil, d.damaged(pos, "the checksum of a record is wrong")
	}
	return r, key, value, nil
}

// scanned is record where [file.scan] has just found it and seen to its checksums.
func (d *file) scanned(pos uint64) (r record, key, value []byte, err error) {
	b, ok := d.from(pos, recordHeader)
	if ok {
		r = readRecord(b, pos)
		b, ok = d.from(pos, r.size())
	}
	if !ok {
		return r, nil, nil, d.damaged(pos, "cut off")
	}
	b = b[recordHeader : recordHeader+r.klen+r.vlen]
	return r, b[:r.klen], b[r.klen:], nil
}

// find looks for a key in its chain, newest record first: the record, and where the link
// to it stands. r.pos is 0 if there is none.
func (d *file) find(hash uint64, key []byte) (r record, value []byte, at uint64, err error) {
	return d.findFrom(d.slotAt(hash), hash, key)
}

// findFrom is find in the chain that begins with the link at a place.
func (d *file) findFrom(at, hash uint64, key []byte) (r record, value []byte, linkedAt uint64, err error) {
	for before := uint64(posMask); ; {
		pos, err := d.follow(at)
		if err != nil || pos == 0 {
			return record{}, nil, at, err
		}
		// What was written later is in front, so there is no going round in circles.
		if pos >= before {
			return record{}, nil, at, d.damaged(at, "a chain goes backwards")
		}
		b, ok := d.from(pos, recordHeader)
		if !ok {
			return record{}, nil, at, d.damaged(pos, "cut off")
		}
		// Records of other keys are passed without their checksums.
		if binary.LittleEndian.Uint64(b[16:]) == hash {
			r, k, value, err := d.record(pos)
			if err != nil {
				return record{}, nil, at, err
			}
			if string(k) == string(key) {
				return r, value, at, nil
			}
		}
		before, at = pos, pos+linkAt
	}
}
