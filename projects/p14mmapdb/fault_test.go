package p14mmapdb

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// faulty is a file that does not always do what it is asked to.
type faulty struct {
	File
	room   int64 // the file cannot be longer; 0: it can
	writes int   // so many succeed, the next one is short; -1: all
	sync   error
}

func (f *faulty) Allocate(size int64) error {
	if f.room > 0 && size > f.room {
		return &fs.PathError{Op: "fallocate", Path: "db", Err: unix.ENOSPC}
	}
	return f.File.Allocate(size)
}

func (f *faulty) WriteAt(b []byte, offset int64) (int, error) {
	if f.writes == 0 {
		n, _ := f.File.WriteAt(b[:len(b)/2], offset)
		return n, &fs.PathError{Op: "write", Path: "db", Err: unix.EIO}
	}
	f.writes--
	return f.File.WriteAt(b, offset)
}

func (f *faulty) Sync() error {
	if f.sync != nil {
		return f.sync
	}
	return f.File.Sync()
}

// newFaulty is a database whose file is faulty, with records.
func newFaulty(t *testing.T) (*DB, *faulty) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "db")
	require.NoError(t, Create(path, 0))
	f := &faulty{writes: -1}
	db := open(t, path, Options{Wrap: func(file File) File { f.File = file; return f }})
	fill(t, db, 500, "safe")
	return db, f
}

// safe asserts that all is as newFaulty has left it.
func safe(t *testing.T, db *DB) {
	t.Helper()
	whole(t, db)
	require.NoError(t, db.View(func(tx *Tx) error {
		assert.EqualValues(t, 520, tx.Records())
		v, err := tx.Get([]byte("00123"))
		assert.Equal(t, "safe", string(v))
		return err
	}))
}

func TestAFullDiskIsAnErrorAndNothingIsLost(t *testing.T) {
	t.Parallel()
	db, f := newFaulty(t)
	for range 3 {
		f.room = stat(t, db).Size
		err := db.Update(ctx, func(tx *Tx) error {
			if err := tx.Delete([]byte("00123")); err != nil {
				return err
			}
			return tx.Put([]byte("large"), make([]byte, 2<<20))
		})
		require.ErrorIs(t, err, unix.ENOSPC)
		safe(t, db)
		require.NoError(t, db.Update(ctx, func(tx *Tx) error { return tx.Put([]byte("00124"), []byte("small")) }), "there is room for that")
	}
	f.room += 3 << 20 // less than it would like
	require.NoError(t, db.Update(ctx, func(tx *Tx) error { return tx.Put([]byte("00123"), make([]byte, 2<<20)) }))
	whole(t, db)
}

func TestAWriteThatFailsLeavesTheStateBefore(t *testing.T) {
	t.Parallel()
	change := func(db *DB) error {
		return db.Update(ctx, func(tx *Tx) error {
			for i := range 500 {
				if err := tx.Put(fmt.Appendf(nil, "%05d", i), []byte(strings.Repeat("new", 40))); err != nil {
					return err
				}
			}
			return nil
		})
	}
	db, f := newFaulty(t)
	f.writes = 1000
	require.NoError(t, change(db))
	all := 1000 - f.writes // of pages, and then of the meta page
	require.Greater(t, all, 2)
	for writes := range all {
		t.Run(fmt.Sprintf("write %d", writes), func(t *testing.T) {
			db, f := newFaulty(t)
			f.writes = writes
			err := change(db)
			f.writes = -1
			require.ErrorIs(t, err, unix.EIO)
			require.NoError(t, db.View(func(tx *Tx) error {
				v, err := tx.Get([]byte("00123"))
				assert.Equal(t, "safe", string(v))
				return err
			}))
			require.NoError(t, db.Close())
			again := open(t, db.path, Options{})
			require.NoError(t, again.Update(ctx, func(tx *Tx) error { return tx.Put([]byte("00124"), []byte("small")) }))
			safe(t, again)
		})
	}
}

func TestAFlushThatFailedIsFinalUntilAllHaveLeft(t *testing.T) {
	t.Parallel()
	db, f := newFaulty(t)
	other := open(t, db.path, Options{})
	put := func(db *DB) error {
		return db.Update(ctx, func(tx *Tx) error { return tx.Put([]byte("00123"), []byte("not flushed")) })
	}
	f.sync = &fs.PathError{Op: "fdatasync", Path: "db", Err: unix.EIO}
	require.ErrorIs(t, put(db), unix.EIO)
	f.sync = nil
	require.ErrorIs(t, put(db), unix.EIO, "though it would succeed now")
	require.ErrorIs(t, put(other), unix.EIO)
	require.ErrorIs(t, db.Sync(ctx), unix.EIO)
	for _, d := range []*DB{db, other} { // what was there can be read
		require.NoError(t, d.View(func(tx *Tx) error {
			v, err := tx.Get([]byte("00123"))
			assert.Equal(t, "safe", string(v))
			return err
		}))
	}
	require.NoError(t, db.Close())
	require.ErrorIs(t, put(other), unix.EIO)
	require.NoError(t, other.Close())
	again := open(t, db.path, Options{})
	safe(t, again)
	require.NoError(t, put(again))
	whole(t, again)
}

func TestAKilledCreateLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "db")
	err := publishFile(path, func(f *os.File) error {
		all, err := os.ReadDir(dir)
		assert.Empty(t, all, "not even for the time being")
		if err == nil {
			err = unix.ENOSPC
		}
		return err
	})
	require.ErrorIs(t, err, unix.ENOSPC)
	all, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, all)
	require.NoError(t, Create(path, 100<<20))
	st, err := os.Stat(path)
	require.NoError(t, err)
	assert.EqualValues(t, 100<<20, st.Size())
	assert.Equal(t, os.FileMode(0o600), st.Mode().Perm())
	assert.EqualValues(t, 100<<20/512, min(st.Sys().(*syscall.Stat_t).Blocks, 100<<20/512), "the room is taken on the disk")
	require.ErrorIs(t, Create(path, 0), os.ErrExist)
}

func TestABackupIsOneMoment(t *testing.T) {
	t.Parallel()
	db := newDatabase(t, Options{NoSync: true})
	fill(t, db, 3000, "value")
	done := make(chan error, 1)
	go func() {
		for i := range 60 {
			if err := db.Update(ctx, func(tx *Tx) error { return putNumber(tx, fmt.Sprint(i)) }); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for i := range 5 {
		path := filepath.Join(t.TempDir(), "copy")
		n, err := db.Backup(path)
		require.NoError(t, err)
		require.EqualValues(t, 3020, n)
		copied := open(t, path, Options{})
		whole(t, copied)
		require.NoError(t, copied.View(func(tx *Tx) error { _, err := number(tx); return err }), "backup %d", i)
		_, err = db.Backup(path)
		require.ErrorIs(t, err, os.ErrExist)
	}
	require.NoError(t, <-done)
}
