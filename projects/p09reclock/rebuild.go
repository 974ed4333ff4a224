package p09reclock

import (
	"bufio"
	"cmp"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"unpipc/gobind/reclock"
)

// entry is a record that the log has.
type entry struct{ hash, pos uint64 }

// scan calls each for every record of the file, in the order in which they were written.
// What was begun and never finished is passed over: a sector of it is still zero. Where
// that one has its header, the others stand alone behind it.
func (d *file) scan(each func(r record, key, value []byte)) error {
	var st unix.Stat_t
	if err := unix.Fstat(int(d.f.Fd()), &st); err != nil {
		return &fs.PathError{Op: "stat", Path: d.path, Err: err}
	}
	all, ok := d.from(0, uint64(st.Size))
	if !ok {
		return d.damaged(uint64(st.Size), "cut off")
	}
	behindZeros, headless := false, false
	for pos := d.start(); pos+recordHeader <= uint64(len(all)); {
		b := all[pos:]
		if isZero(b[:align]) {
			behindZeros = true
			pos += align
			continue
		}
		if r, ok := d.decode(b, pos); ok {
			if r.size() > uint64(len(b)) {
				return d.damaged(pos, "cut off")
			}
			if key, value, ok := r.content(b); ok {
				each(r, key, value)
			} else if pos < d.base || !unfinished(b[:r.size()], pos) {
				return d.damaged(pos, "the checksum of a record is wrong")
			}
			behindZeros, headless = false, false
			pos += r.size()
			continue
		}
		headless = headless || behindZeros && pos%sector == 0
		if pos < d.base || !headless {
			return d.damaged(pos, "the checksum of a record's header is wrong")
		}
		pos += align
	}
	return nil
}

// rebuild writes the newest record of each key, of the store's file if there is one, to a
// new file that takes its name. Whoever calls it keeps all others from writing: it holds
// every bucket, or is alone with the store. At whatever moment it is killed, the name
// belongs to a whole file.
func (st *Store) rebuild(alone bool) error {
	s := st.session
	old, err := openFile(st.path)
	if alone && errors.Is(err, fs.ErrNotExist) {
		old, err = nil, nil
	}
	if err != nil {
		return err
	}
	if old != nil {
		defer old.close()
	}
	generation := s.generation.Load()
	if !alone && generation%2 == 0 && old.salt != s.salt.Load() {
		return fmt.Errorf("%s: it was replaced while in use", st.path)
	}
	next := &successor{path: st.path + ".new", mode: 0o600}
	if err := next.write(old); err != nil {
		return errors.Join(err, next.discard())
	}
	s.generation.Store(generation | 1)
	if err := next.install(st.path, old == nil); err != nil {
		s.generation.Store(generation)
		return errors.Join(err, next.discard())
	}
	defer next.f.Close()
	s.salt.Store(next.salt)
	s.tail.Store(next.base)
	s.allocated.Store(next.size)
	s.live.Store(int64(next.live))
	s.liveBytes.Store(int64(next.base - next.start()))
	s.rewriteAt.Store(0)
	for b := range uint64(Buckets) {
		state := s.bucket(b)
		state.seq.Store((state.seq.Load() + 1) &^ 1)
	}
	err = syncFolder(st.path)
	if err != nil {
		s.failed.Store(uint64(unix.EIO)) // the old file may come back
	}
	s.generation.Store((generation | 1) + 1)
	return err
}

// setUp makes the session new, and the store's file too. This process is alone with them.
func (st *Store) setUp() error {
	ready, err := checkLockFile(st.locks, st.lockPath)
	if err == nil && !ready {
		err = makeLockFile(st.locks, st.lockPath)
	}
	if err == nil && st.session == nil {
		st.session, err = mapSession(st.locks, false)
	}
	if err != nil {
		return err
	}
	st.session.invalidate()
	st.session.failed.Store(0)
	if err := st.rebuild(true); err != nil {
		return err
	}
	// Whoever may use the store may lock it.
	var of unix.Stat_t
	if unix.Stat(st.path, &of) == nil {
		_ = unix.Fchmod(st.locks.Fd(), of.Mode&0o666)
		_ = unix.Fchown(st.locks.Fd(), int(of.Uid), int(of.Gid))
	}
	st.session.validate()
	return nil
}

// crowded says that the chains have become long, or that much of the file is of no use.
// st.mu is held for reading.
func (st *Store) crowded() bool {
	s := st.session
	tail, live, liveBytes := s.tail.Load(), s.live.Load(), s.liveBytes.Load()
	used := int64(tail - st.file.start())
	return tail >= s.rewriteAt.Load() &&
		(live > 2<<st.file.bits || used-liveBytes > liveBytes+1<<20)
}

// rewrite rebuilds a crowded store beside others who use it.
func (st *Store) rewrite() error {
	st.mu.RLock()
	defer st.mu.RUnlock()
	if !st.crowded() {
		return nil
	}
	all, err := st.lockBuckets(reclock.Write)
	if err != nil {
		return err
	}
	s := st.session
	if s.generation.Load() == st.file.generation && s.failed.Load() == 0 && st.crowded() {
		if err = st.rebuild(false); err != nil {
			// Not again at once: the disk may be full.
			s.rewriteAt.Store(s.tail.Load() + max(s.tail.Load()/4, 1<<20))
		}
	}
	return errors.Join(err, all.Unlock())
}

// successor is a file being written to take a store's place.
type successor struct {
	header
	path string
	mode os.FileMode
	f    *os.File
	live int
}

// piece is how much of a new file is written at once. Linux keeps what one write brings in
// one large folio if it can, and each link that is set later would have it look at all
// blocks of that.
const piece = 4096

// write writes all of it and flushes it.
func (n *successor) write(old *file) error {
	var entries []entry
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails
	n.seed = binary.LittleEndian.Uint64(random[:])
	n.salt = binary.LittleEndian.Uint64(random[8:])
	uid, gid := -1, -1
	if old != nil {
		n.seed = old.seed
		err := old.scan(func(r record, _, _ []byte) { entries = append(entries, entry{r.hash, r.pos}) })
		if err != nil {
			return err
		}
		if entries, err = newest(old, entries); err != nil {
			return err
		}
		var st unix.Stat_t
		if err := unix.Fstat(int(old.f.Fd()), &st); err != nil {
			return &fs.PathError{Op: "stat", Path: old.path, Err: err}
		}
		n.mode, uid, gid = os.FileMode(st.Mode&0o777), int(st.Uid), int(st.Gid)
	}
	n.live = len(entries)
	for n.bits = bucketBits; n.live > 1<<n.bits; n.bits++ {
	}
	// What a killed process left has this name.
	if err := os.Remove(n.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var err error
	if n.f, err = os.OpenFile(n.path, os.O_RDWR|os.O_CREATE|os.O_EXCL, n.mode); err != nil {
		return err
	}
	if err := n.f.Chmod(n.mode); err != nil {
		return err
	}
	_ = n.f.Chown(uid, gid) // as far as this user may
	table, err := n.records(old, entries)
	if err != nil {
		return err
	}
	n.size = (n.base + leastGrowth + 4095) &^ 4095
	d := file{path: n.path, f: n.f}
	if err := d.extend(n.base, n.size); err != nil {
		return err
	}
	for b, at := append(n.encode(), table...), uint64(0); len(b) > 0; {
		size := min(len(b), piece)
		if err := d.write(b[:size], at); err != nil {
			return err
		}
		b, at = b[size:], at+uint64(size)
	}
	return n.f.Sync()
}

// records writes the records, and makes the table that leads to them.
func (n *successor) records(old *file, entries []entry) (table []byte, err error) {
	at := n.start()
	if _, err := n.f.Seek(int64(at), io.SeekStart); err != nil {
		return nil, err
	}
	w := bufio.NewWriterSize(n.f, piece)
	heads := make([]uint64, 1<<n.bits)
	var b []byte
	for _, e := range entries {
		r, key, value, err := old.scanned(e.pos)
		if err != nil {
			return nil, err
		}
		slot := r.hash >> (64 - n.bits)
		r.pos = at
		r.next = n.link(at+linkAt, heads[slot])
		b = slices.Grow(b[:0], int(r.size()))[:r.size()]
		clear(b)
		n.encodeRecord(b, &r, key, value)
		if _, err := w.Write(b); err != nil {
			return nil, err
		}
		heads[slot] = at
		at += r.size()
	}
	n.base = at
	for slot, head := range heads {
		table = binary.LittleEndian.AppendUint64(table, n.link(headerSize+8*uint64(slot), head))
	}
	return table, w.Flush()
}

// install gives the file its name. One that is new may not take the place of anything.
func (n *successor) install(path string, isNew bool) error {
	if !isNew {
		return os.Rename(n.path, path)
	}
	if err := os.Link(n.path, path); err != nil {
		return err
	}
	return os.Remove(n.path)
}

// syncFolder brings a file's name to the disk.
func syncFolder(path string) error {
	dir, err := os.Open(filepath.Dir(path))
	if errors.Is(err, fs.ErrPermission) {
		return nil // it will come there in time
	}
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := dir.Sync(); err != nil && !errors.Is(err, unix.EINVAL) {
		return err
	}
	return nil
}

func (n *successor) discard() error {
	if n.f == nil {
		return nil
	}
	_ = n.f.Close()
	if err := os.Remove(n.path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// newest leaves of what a scan found the last record of each key, if that is not of its deletion.
func newest(d *file, entries []entry) ([]entry, error) {
	slices.SortFunc(entries, func(a, b entry) int {
		if a.hash != b.hash { // nearly always
			return cmp.Compare(a.hash, b.hash)
		}
		return cmp.Compare(b.pos, a.pos)
	})
	kept := entries[:0]
	var keys [][]byte // of the entries with one hash
	var hash uint64
	for i, e := range entries {
		if i == 0 || e.hash != hash {
			keys, hash = keys[:0], e.hash
		}
		r, key, _, err := d.scanned(e.pos)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(keys, func(k []byte) bool { return string(k) == string(key) }) {
			continue
		}
		keys = append(keys, key)
		if !r.tombstone {
			kept = append(kept, e)
		}
	}
	return kept, nil
}
