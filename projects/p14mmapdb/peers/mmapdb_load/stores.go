package main

import (
	"context"
	"errors"
	"os"

	"go.etcd.io/bbolt"

	"unpipc/projects/p14mmapdb"
)

// ours is mmapdb.
type ours struct{ db *p14mmapdb.DB }

func openOurs(path string, sync bool) (store, error) {
	if err := p14mmapdb.Create(path, 0); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, err
	}
	db, err := p14mmapdb.Open(path, p14mmapdb.Options{NoSync: !sync})
	return ours{db}, err
}

func (s ours) Update(f func(put func(key, value []byte) error) error) error {
	return s.db.Update(context.Background(), func(t *p14mmapdb.Tx) error { return f(t.Put) })
}

func (s ours) View(f func(get func(key []byte) []byte) error) error {
	return s.db.View(func(t *p14mmapdb.Tx) error {
		return f(func(key []byte) []byte {
			value, err := t.Get(key)
			if err != nil {
				return nil
			}
			return value
		})
	})
}

func (s ours) Scan(f func(key, value []byte) bool) error {
	return s.db.View(func(t *p14mmapdb.Tx) error {
		c := t.Cursor()
		for more := c.First(); more; more = c.Next() {
			key, value, err := c.Record()
			if err != nil {
				return err
			}
			if !f(key, value) {
				return nil
			}
		}
		return c.Err()
	})
}

func (s ours) Close() error { return s.db.Close() }

// bolt is bbolt.
type bolt struct{ db *bbolt.DB }

var bucket = []byte("records")

func openBolt(path string, sync bool) (store, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{
		NoSync: !sync, InitialMmapSize: 1 << 30, FreelistType: bbolt.FreelistMapType,
	})
	if err != nil {
		return nil, err
	}
	return bolt{db}, db.Update(func(t *bbolt.Tx) error {
		_, err := t.CreateBucketIfNotExists(bucket)
		return err
	})
}

func (s bolt) Update(f func(put func(key, value []byte) error) error) error {
	return s.db.Update(func(t *bbolt.Tx) error {
		b := t.Bucket(bucket)
		return f(func(key, value []byte) error {
			// It keeps the slices until the commit.
			both := make([]byte, len(key)+len(value))
			copy(both, key)
			copy(both[len(key):], value)
			return b.Put(both[:len(key):len(key)], both[len(key):])
		})
	})
}

func (s bolt) View(f func(get func(key []byte) []byte) error) error {
	return s.db.View(func(t *bbolt.Tx) error { return f(t.Bucket(bucket).Get) })
}

func (s bolt) Scan(f func(key, value []byte) bool) error {
	return s.db.View(func(t *bbolt.Tx) error {
		c := t.Bucket(bucket).Cursor()
		for key, value := c.First(); key != nil && f(key, value); key, value = c.Next() {
		}
		return nil
	})
}

func (s bolt) Close() error { return s.db.Close() }
