package raftlog_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"unpipc/projects/p18rpckv/raftlog"
)

func open(t *testing.T, path string) *raftlog.Store {
	t.Helper()
	s, err := raftlog.Open(path, time.Minute)
	require.NoError(t, err)
	return s
}

func entry(index uint64) *raft.Log {
	return &raft.Log{
		Index: index, Term: 1 << 40, Type: raft.LogConfiguration, Data: []byte("some text"),
		Extensions: []byte{1, 2}, AppendedAt: time.Unix(7, 8),
	}
}

func ends(t *testing.T, s *raftlog.Store) [2]uint64 {
	t.Helper()
	first, err := s.FirstIndex()
	require.NoError(t, err)
	last, err := s.LastIndex()
	require.NoError(t, err)
	return [2]uint64{first, last}
}

func TestTheLogIsThereAgainAfterARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	s := open(t, path)
	assert.Equal(t, [2]uint64{}, ends(t, s))
	for i := uint64(5); i < 400; i++ { // past a byte: the order of keys is that of numbers
		require.NoError(t, s.StoreLog(entry(i)))
	}
	require.NoError(t, s.DeleteRange(5, 9))
	require.NoError(t, s.DeleteRange(390, 1000))
	require.NoError(t, s.SetUint64([]byte("term"), 1<<50))
	require.NoError(t, s.Set([]byte("empty"), nil))
	require.NoError(t, s.Close())

	s = open(t, path)
	defer s.Close()
	assert.Equal(t, [2]uint64{10, 389}, ends(t, s))
	var l raft.Log
	require.NoError(t, s.GetLog(256, &l))
	assert.Equal(t, *entry(256), l)
	assert.Equal(t, raft.ErrLogNotFound, s.GetLog(9, &l))
	n, err := s.GetUint64([]byte("term"))
	require.NoError(t, err)
	assert.EqualValues(t, 1<<50, n)
	_, err = s.Get([]byte("vote"))
	assert.EqualError(t, err, "not found", "raft compares the text")
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode())
}

func TestALogIsOpenOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	s := open(t, path)
	defer s.Close()
	_, err := raftlog.Open(path, time.Millisecond)
	assert.ErrorIs(t, err, bolterrors.ErrTimeout)
}

func TestADamagedLogIsRefused(t *testing.T) {
	key := func(i byte) []byte { return []byte{0, 0, 0, 0, 0, 0, 0, i} }
	logs := func(damage func(*bbolt.Bucket) error) func(*bbolt.Tx) error {
		return func(tx *bbolt.Tx) error { return damage(tx.Bucket([]byte("logs"))) }
	}
	for name, damage := range map[string]func(*bbolt.Tx) error{
		"another term": func(tx *bbolt.Tx) error {
			b := tx.Bucket([]byte("stable"))
			record := bytes.Clone(b.Get([]byte("term")))
			record[len(record)-1]++
			return b.Put([]byte("term"), record)
		},
		"another's value": func(tx *bbolt.Tx) error {
			b := tx.Bucket([]byte("stable"))
			return b.Put([]byte("vote"), bytes.Clone(b.Get([]byte("term"))))
		},
		"a bit": logs(func(b *bbolt.Bucket) error {
			record := bytes.Clone(b.Get(key(2)))
			record[len(record)-1] ^= 1
			return b.Put(key(2), record)
		}),
		"a record that is another's": logs(func(b *bbolt.Bucket) error { return b.Put(key(2), bytes.Clone(b.Get(key(1)))) }),
		"a short record":             logs(func(b *bbolt.Bucket) error { return b.Put(key(2), []byte("x")) }),
		"a missing record":           logs(func(b *bbolt.Bucket) error { return b.Delete(key(2)) }),
		"a key that is no number":    logs(func(b *bbolt.Bucket) error { return b.Put([]byte("x"), nil) }),
	} {
		path := filepath.Join(t.TempDir(), "log")
		s := open(t, path)
		require.NoError(t, s.StoreLogs([]*raft.Log{entry(1), entry(2), entry(3)}))
		require.NoError(t, s.SetUint64([]byte("term"), 5))
		require.NoError(t, s.Close())
		db, err := bbolt.Open(path, 0o600, nil)
		require.NoError(t, err)
		require.NoError(t, db.Update(func(tx *bbolt.Tx) error { return damage(tx) }))
		require.NoError(t, db.Close())
		_, err = raftlog.Open(path, time.Minute)
		assert.ErrorIs(t, err, raftlog.ErrCorrupt, name)
	}
}

func TestEntriesMustFollowEachOther(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "log"))
	defer s.Close()
	require.NoError(t, s.StoreLogs([]*raft.Log{entry(7), entry(8)}))
	assert.ErrorContains(t, s.StoreLog(entry(10)), "does not follow")
	assert.ErrorContains(t, s.StoreLogs([]*raft.Log{entry(9), entry(11)}), "does not follow")
	assert.Equal(t, [2]uint64{7, 8}, ends(t, s))
	assert.True(t, s.IsMonotonic())
}

// Every page of the file in turn is lost, or another's.
func TestALostPageIsNoticedOrIsOfNoAccount(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "log")
	s := open(t, path)
	for i := uint64(1); i < 300; i++ {
		require.NoError(t, s.StoreLog(entry(i)))
	}
	require.NoError(t, s.Close())
	sound, err := os.ReadFile(path)
	require.NoError(t, err)
	page := os.Getpagesize()
	refused := 0
	for at := 0; at < len(sound); at += page {
		for name, with := range map[string][]byte{
			"zeros": make([]byte, page), "ones": bytes.Repeat([]byte{0xff}, page), "its neighbour": sound[max(at-page, 0):][:page],
		} {
			damaged := bytes.Clone(sound)
			copy(damaged[at:], with)
			file := filepath.Join(dir, "damaged")
			require.NoError(t, os.WriteFile(file, damaged, 0o600))
			s, err := raftlog.Open(file, time.Minute)
			if err != nil {
				refused++
				left, err := os.ReadFile(file)
				require.NoError(t, err)
				require.True(t, bytes.Equal(damaged, left), "page %d, %s: it was changed", at/page, name)
			} else {
				assert.Equal(t, [2]uint64{1, 299}, ends(t, s), "page %d, %s", at/page, name)
				require.NoError(t, s.Close())
			}
			require.NoError(t, os.Remove(file))
		}
	}
	assert.Greater(t, refused, 3)
}
