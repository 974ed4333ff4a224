package p14mmapdb

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"unpipc/gobind/mmap"
	"unpipc/gobind/reclock"
)

// Options say how to open a database.
type Options struct {
	NoSync   bool            // do not wait for the disk, see [DB.Update]
	ReadOnly bool            // never write the file
	Wrap     func(File) File // puts a layer between the database and its file; may be nil
}

// DB is an open database. Any number of goroutines may use it, and it may be open several times,
// in this process and in others.
type DB struct {
	path     string
	options  Options
	f        *os.File
	file     File
	readOnly bool
	memory   []byte
	session  *session // nil: there is no lock file, and it cannot be made
	trust    bool     // without session: nobody can write
	state    atomic.Pointer[meta]
	size     int64 // of the file, as the writer last saw it

	open    sync.RWMutex // held for reading by transactions
	closed  bool
	writing chan struct{} // holds a token while nobody writes here

	// What the writer keeps from one transaction to the next.
	free    *freeSet // nil: to be read
	known   known    // emptied when free is read
	buffers buffers
	changes changes
	commit  commit
	staging []byte
	cell    []byte
}

// lockPath is the database's lock file.
func lockPath(path string) string { return path + "-lock" }

// Open opens a database. One that may only be read is opened for that.
// Errors: fs.ErrNotExist; [ErrForeign]; [ErrDamaged].
func Open(path string, options Options) (db *DB, err error) {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // the lock file is beside the database, whatever it is called by
	}
	db = newDB(path, options)
	if db.f, db.readOnly, err = openFile(path, options.ReadOnly); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, db.Close())
			db = nil
		}
	}()
	db.file = osFile{db.f}
	if options.Wrap != nil {
		db.file = options.Wrap(db.file)
	}
	if db.memory, err = reserve(db.f); err != nil {
		return db, err
	}
	db.session, err = openSession(lockPath(path), db.setUp)
	switch {
	case errors.Is(err, unix.EROFS):
		db.trust = true
	case db.readOnly && isReadOnly(err):
	case err != nil:
		return db, err
	case !db.session.frozen:
		return db, nil
	}
	m, err := db.newestState()
	db.state.Store(m)
	return db, err
}

func newDB(path string, options Options) *DB {
	db := &DB{path: path, options: options, writing: make(chan struct{}, 1)}
	db.writing <- struct{}{}
	return db
}

// Close waits for the transactions that are running, and closes the database.
func (db *DB) Close() error {
	db.open.Lock()
	defer db.open.Unlock()
	if db.closed {
		return nil
	}
	db.closed = true
	var err error
	if db.session != nil {
		err = db.session.close()
	}
	if db.memory != nil {
		err = errors.Join(err, mmap.Unmap(db.memory))
	}
	return errors.Join(err, db.f.Close())
}

// Path is the database's file.
func (db *DB) Path() string { return db.path }

// ReadOnly says that the database can be read only.
func (db *DB) ReadOnly() bool { return db.readOnly }

// bytes are pages of the mapping.
func (db *DB) bytes(page, run uint32) []byte {
	return db.memory[int(page)*pageSize : int(page+run)*pageSize]
}

// read begins a transaction on the newest state, with a slot or without.
func (db *DB) read(slot int) (*Tx, error) {
	t := &Tx{db: db, base: unsafe.Pointer(&db.memory[0])}
	if db.session == nil || db.session.frozen {
		t.meta = *db.state.Load()
		t.verify = db.session == nil && !db.trust
		return t, nil
	}
	m := db.pinned(slot)
	if m == nil && slot >= 0 {
		if err := db.settled(func() { m = db.pinned(slot) }); err != nil {
			return nil, err
		}
	}
	if m == nil {
		word := db.session.newest.Load()
		return nil, fmt.Errorf("%s: %w: the meta page of transaction %d is not valid", db.path, ErrDamaged, word/2)
	}
	if int64(m.pages)*pageSize > int64(len(db.memory)) {
		return nil, fmt.Errorf("%s: %w: it grew beyond %d bytes; open it again", db.path, unix.EFBIG, len(db.memory))
	}
	db.state.Store(m)
	t.meta = *m
	return t, nil
}

// pinned is the newest state, which stays until the slot's owner leaves. nil: its meta page
// is not valid, or is half written.
func (db *DB) pinned(slot int) *meta {
	for {
		word := db.session.pin(slot)
		if m := db.state.Load(); m != nil && m.word() == word {
			return m
		}
		// Where nobody syncs, a newer state is written over the newest one just before
		// the session says so, see [DB.publish].
		if m, ok := db.readMeta(uint32(word%2) + 1); ok && m.tx >= word/2 {
			return m
		}
		if db.session.newest.Load() == word {
			return nil
		}
	}
}

// settled calls f while no process is writing a meta page.
func (db *DB) settled(f func()) error {
	if db.session == nil || db.session.readOnly {
		f() // nobody does as long as this one reads
		return nil
	}
	<-db.writing
	defer func() { db.writing <- struct{}{} }()
	if err := db.session.lock(context.Background(), reclock.Read, writerByte); err != nil {
		return err
	}
	f()
	return db.session.unlock(writerByte)
}

// View calls f with the newest state of the database. It takes no lock and waits for nobody;
// while f runs, what others commit is not seen, and no page that f may see is used again.
//
// A file that somebody makes shorter meanwhile is an error, [ErrDamaged] (in this goroutine,
// and in Go code).
func (db *DB) View(f func(t *Tx) error) (err error) {
	db.open.RLock()
	defer db.open.RUnlock()
	if db.closed {
		return fmt.Errorf("%s: %w", db.path, fs.ErrClosed)
	}
	slot := -1
	if db.session != nil && !db.session.frozen {
		if slot, err = db.session.enter(); err != nil {
			return err
		}
		defer func() {
			if e := db.session.leave(slot); err == nil {
				err = e
			}
		}()
	}
	fault := mmap.Catch(db.memory, func() {
		var t *Tx
		if t, err = db.read(slot); err == nil {
			err = f(t)
		}
	})
	if fault != nil {
		return db.fault(fault)
	}
	return err
}
