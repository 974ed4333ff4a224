package p14mmapdb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAFileGrowsWhileOthersReadIt(t *testing.T) {
	t.Parallel()
	db := newDatabase(t, Options{NoSync: true})
	fill(t, db, 100, "small")
	first := start(t, "reader", db.path)
	first.says(t)
	large := bytes.Repeat([]byte("x"), 1<<20)
	for i := range 20 {
		require.NoError(t, db.Update(ctx, func(tx *Tx) error { return tx.Put(fmt.Appendf(nil, "large %d", i), large) }))
	}
	require.Greater(t, stat(t, db).Size, int64(20<<20))
	second := start(t, "reader", db.path)
	second.says(t)
	first.ends(t)
	second.ends(t)
}

func TestWritersTakeTurns(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "db")
	require.NoError(t, Create(path, 0))
	const writers, each = 6, 40
	var running sync.WaitGroup
	for i := range writers {
		running.Go(func() {
			for range 4 { // sessions begin and end meanwhile
				db, err := Open(path, Options{NoSync: i%2 == 0})
				if !assert.NoError(t, err) {
					return
				}
				for range each / 4 {
					assert.NoError(t, db.Update(ctx, func(tx *Tx) error {
						n := 0
						if v, err := tx.Get([]byte("count")); err == nil {
							_, _ = fmt.Sscan(string(v), &n)
						}
						return tx.Put([]byte("count"), fmt.Append(nil, n+1))
					}))
				}
				assert.NoError(t, db.Close())
			}
		})
	}
	running.Wait()
	db := open(t, path, Options{})
	require.NoError(t, db.View(func(tx *Tx) error {
		v, err := tx.Get([]byte("count"))
		assert.Equal(t, fmt.Sprint(writers*each), string(v))
		return err
	}))
	whole(t, db)
}

func TestReadersAndAWriterInOneProcess(t *testing.T) {
	t.Parallel()
	db := newDatabase(t, Options{NoSync: true})
	fill(t, db, 1000, "value")
	stop, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for range 4 {
		running.Go(func() {
			for stop.Err() == nil {
				assert.NoError(t, db.View(func(tx *Tx) error {
					before, err := digest(tx)
					if err != nil {
						return err
					}
					if _, err = number(tx); err != nil {
						return err
					}
					after, err := digest(tx)
					assert.Equal(t, before, after)
					return err
				}))
			}
		})
	}
	for i := range 150 {
		if err := db.Update(ctx, func(tx *Tx) error { return putNumber(tx, fmt.Sprint(i)) }); !assert.NoError(t, err) {
			break
		}
	}
	cancel()
	running.Wait()
	whole(t, db)
}

func TestAContextEndsTheWaitForTheWriter(t *testing.T) {
	t.Parallel()
	db := newDatabase(t, Options{})
	other := open(t, db.path, Options{})
	why := errors.New("no more patience")
	require.NoError(t, db.Update(ctx, func(tx *Tx) error {
		for name, waiter := range map[string]*DB{"this handle": db, "another one": other} {
			ctx, cancel := context.WithCancelCause(t.Context())
			got := make(chan error, 1)
			go func() { got <- waiter.Update(ctx, func(*Tx) error { return nil }) }()
			select {
			case err := <-got:
				t.Errorf("%s: it did not wait: %v", name, err)
			case <-time.After(20 * time.Millisecond):
				cancel(why)
				assert.Equal(t, why, <-got, name)
			}
			cancel(nil)
		}
		return tx.Put([]byte("key"), nil)
	}))
	require.NoError(t, other.Update(ctx, func(tx *Tx) error { return tx.Delete([]byte("key")) }))
}

func TestMoreReadersAtATimeThanSlots(t *testing.T) {
	t.Parallel()
	db := newDatabase(t, Options{})
	s := db.session
	s.mu.Lock()
	for i := range lockSlots - 1 {
		s.own[i] = true // as if this many were reading
	}
	s.mu.Unlock()
	require.NoError(t, db.View(func(*Tx) error {
		assert.ErrorIs(t, db.View(func(*Tx) error { return nil }), ErrReaders)
		return nil
	}))
	require.NoError(t, db.View(func(*Tx) error { return nil }))
}
