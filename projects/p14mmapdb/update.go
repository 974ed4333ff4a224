package p14mmapdb

import (
	"context"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"

	"unpipc/gobind/mmap"
	"unpipc/gobind/reclock"
)

var errReadOnlyFile = fmt.Errorf("the database may not be written: %w", fs.ErrPermission)

// Update calls f to change the database, and commits what it has done, all or nothing: if f
// returns an error, nothing. When it returns nil, all is on the disk. There is one writer at
// a time, in all processes; ctx ends the waiting for one's turn. Calling it inside f waits
// for ever.
//
// With [Options].NoSync it does not wait for the disk. After a power failure the
// database is then in one of the states that it had, not an older one than the last that
// was flushed. The pages that this needs are not used again; when they have become many, a
// flush is waited for after all.
//
// An error of a flush is final: nobody writes any more until all have closed the database,
// and it is not known whether the transaction is there then.
func (db *DB) Update(ctx context.Context, f func(t *Tx) error) (err error) {
	db.open.RLock()
	defer db.open.RUnlock()
	if err := db.writable(); err != nil {
		return err
	}
	fault := mmap.Catch(db.memory, func() {
		err = db.alone(ctx, func() error { return db.update(f) })
	})
	if fault != nil {
		db.free = nil
		return db.fault(fault)
	}
	return err
}

// alone calls f while nobody else writes.
func (db *DB) alone(ctx context.Context, f func() error) (err error) {
	select {
	case <-db.writing:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { db.writing <- struct{}{} }()
	if err := db.session.lock(ctx, reclock.Write, writerByte); err != nil {
		return err
	}
	defer func() {
		if e := db.session.unlock(writerByte); err == nil {
			err = e
		}
	}()
	if errno := unix.Errno(db.session.failed.Load()); errno != 0 {
		return fmt.Errorf("%s: a flush has failed (%w): all who have it open must close it", db.path, errno)
	}
	return f()
}

func (db *DB) update(f func(t *Tx) error) (err error) {
	t, err := db.prepare()
	if err != nil {
		return err
	}
	before := t.meta
	w := &db.changes
	t.write = w
	defer func() {
		if err != nil {
			db.free = nil
		}
		t.write = nil
		db.buffers.reset()
		w.reset()
		db.commit.reset()
	}()
	if err := f(t); err != nil {
		return err
	}
	if t.root == before.root && t.records == before.records {
		return nil // every change makes a new root
	}
	if err := t.commit(); err != nil {
		return err
	}
	if w.onCommit != nil {
		t.write = nil
		w.onCommit(t)
	}
	return nil
}

// prepare does what a writer must do before it changes anything, see layout.go.
func (db *DB) prepare() (*Tx, error) {
	s := db.session
	t, err := db.read(-1)
	if err != nil {
		return nil, err
	}
	newest := t.word()
	s.newest.Store(newest) // if its writer was killed before it could do that
	durable := s.durable.Load()
	if durable != newest && (durable == 0 || !db.options.NoSync || db.held(durable/2)) {
		if err := db.sync(); err != nil {
			return nil, err
		}
		s.durable.Store(newest)
	}
	if other, ok := db.newerMeta(3-t.at, t.tx); ok {
		if err := db.erase(other.at); err != nil {
			db.fail(err)
			return nil, err
		}
	}
	oldest, err := s.oldest(t.tx)
	if err != nil {
		return nil, err
	}
	if db.free == nil || db.free.word != newest {
		clear(db.known)
		if db.free, err = t.load(); err != nil {
			db.free = nil
			return nil, err
		}
	}
	db.free.allow(min(oldest, s.durable.Load()/2))
	return t, nil
}

// held says that many pages wait for nothing but a flush: that is the time for one.
func (db *DB) held(durable uint64) bool {
	f := db.free
	if f == nil || len(f.waiting) == 0 || f.waiting[len(f.waiting)-1].tx <= durable {
		return false
	}
	pages := uint32(0)
	for _, w := range f.waiting {
		if w.tx > durable {
			pages += w.run
		}
	}
	return pages > max(heldLeast, db.state.Load().pages/4)
}

const heldLeast = 4096 // pages, 16 MiB

// Sync waits until all that was committed before is on the disk, for those who use
// [Options].NoSync. Errors as of [DB.Update].
func (db *DB) Sync(ctx context.Context) error {
	db.open.RLock()
	defer db.open.RUnlock()
	if err := db.writable(); err != nil {
		return err
	}
	return db.alone(ctx, func() error {
		newest := db.session.newest.Load()
		if db.session.durable.Load() == newest {
			return nil
		}
		if err := db.sync(); err != nil {
			return err
		}
		db.session.durable.Store(newest)
		return nil
	})
}

func (db *DB) writable() error {
	switch {
	case db.closed:
		return fmt.Errorf("%s: %w", db.path, fs.ErrClosed)
	case db.readOnly || db.session == nil || db.session.readOnly:
		return fmt.Errorf("%s: %w", db.path, errReadOnlyFile)
	}
	return nil
}
