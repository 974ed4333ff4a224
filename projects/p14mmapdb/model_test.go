package p14mmapdb

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"testing"

	"github.com/stretchr/testify/require"
)

var ctx = context.Background()

func newDatabase(t testing.TB, options Options) *DB {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.db")
	require.NoError(t, Create(path, 0))
	return open(t, path, options)
}

func open(t testing.TB, path string, options Options) *DB {
	t.Helper()
	db, err := Open(path, options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// keysOf are forms of keys: with long common beginnings, of all lengths, with zeros.
var keysOf = map[string]func(rng *rand.Rand) string{
	"numbers": func(rng *rand.Rand) string { return fmt.Sprintf("%016d", rng.IntN(3000)) },
	"paths": func(rng *rand.Rand) string {
		return fmt.Sprintf("/usr/share/%c/the same for all/%d", 'a'+rng.IntN(3), rng.IntN(900))
	},
	"zeros": func(rng *rand.Rand) string {
		b := make([]byte, 1+rng.IntN(12))
		for i := range b {
			b[i] = byte(rng.IntN(2))
		}
		return string(b)
	},
	"long": func(rng *rand.Rand) string {
		b := make([]byte, MaxKey-rng.IntN(3))
		b[rng.IntN(40)] = byte(rng.IntN(40))
		b[len(b)-1] = byte(rng.IntN(3))
		return string(b)
	},
	"mixed": func(rng *rand.Rand) string {
		b := make([]byte, 1+rng.IntN(1+rng.IntN(1+rng.IntN(MaxKey))))
		for i := range b {
			b[i] = byte(rng.Uint32()) & 0xc1
		}
		return string(b)
	},
}

func anyValue(rng *rand.Rand) string {
	n := rng.IntN(120)
	switch rng.IntN(30) {
	case 0:
		n = rng.IntN(2200)
	case 1:
		n = rng.IntN(20_000)
	case 2:
		n = 0
	}
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return string(b)
}

var errAbort = errors.New("given up")

// same compares a state with the model: all records both ways, gets, and seeks.
func same(t *testing.T, tx *Tx, model map[string]string, rng *rand.Rand, newKey func(*rand.Rand) string) {
	t.Helper()
	keys := make([]string, 0, len(model))
	for k := range model {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	require.EqualValues(t, len(keys), tx.Records())
	c := tx.Cursor()
	i := 0
	for more := c.First(); more; more = c.Next() {
		k, v, err := c.Record()
		require.NoError(t, err)
		require.Less(t, i, len(keys))
		require.True(t, keys[i] == string(k), "%d-th key", i)
		require.True(t, model[keys[i]] == string(v), "%d-th value", i)
		i++
	}
	require.NoError(t, c.Err())
	require.Len(t, keys, i)
	for more := c.Last(); more; more = c.Prev() {
		i--
		require.True(t, keys[i] == string(c.Key()), "%d-th key from behind", i)
	}
	require.Zero(t, i)
	for range 50 {
		k := newKey(rng)
		v, err := tx.Get([]byte(k))
		want, there := model[k]
		if !there {
			require.ErrorIs(t, err, ErrNoKey)
		} else {
			require.NoError(t, err)
			require.True(t, want == string(v))
		}
		i, _ := slices.BinarySearch(keys, k)
		require.Equal(t, i < len(keys), c.Seek([]byte(k)))
		if i < len(keys) {
			require.True(t, keys[i] == string(c.Key()))
		}
		require.Equal(t, i > 0, c.SeekBefore([]byte(k)))
		if i > 0 {
			require.True(t, keys[i-1] == string(c.Key()))
		}
	}
}

func TestADatabaseIsLikeAMap(t *testing.T) {
	for name, newKey := range keysOf {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(14, 1))
			db := newDatabase(t, Options{NoSync: rng.IntN(2) == 0})
			model := map[string]string{}
			for round := range 120 {
				next := map[string]string{}
				for k, v := range model {
					next[k] = v
				}
				deletes := rng.IntN(10)
				changes := 1 + rng.IntN(1+rng.IntN(200))
				abort := rng.IntN(8) == 0
				err := db.Update(ctx, func(tx *Tx) error {
					for range changes {
						k := newKey(rng)
						_, there := next[k]
						if rng.IntN(10) < deletes {
							if err := tx.Delete([]byte(k)); there {
								require.NoError(t, err)
							} else {
								require.ErrorIs(t, err, ErrNoKey)
							}
							delete(next, k)
							continue
						}
						v := anyValue(rng)
						require.NoError(t, tx.Put([]byte(k), []byte(v)))
						next[k] = v
					}
					if rng.IntN(10) == 0 {
						same(t, tx, next, rng, newKey)
					}
					if abort {
						return errAbort
					}
					return nil
				})
				if abort {
					require.ErrorIs(t, err, errAbort)
				} else {
					require.NoError(t, err)
					model = next
				}
				if round%10 == 9 || round < 5 {
					r, err := db.Check()
					require.NoError(t, err, "round %d", round)
					require.EqualValues(t, len(model), r.Records)
					require.NoError(t, db.View(func(tx *Tx) error { same(t, tx, model, rng, newKey); return nil }))
				}
				if rng.IntN(12) == 0 {
					require.NoError(t, db.Close())
					if rng.IntN(2) == 0 {
						require.NoError(t, os.Remove(lockPath(db.path)))
					}
					db = open(t, db.path, Options{NoSync: rng.IntN(2) == 0})
				}
			}
			// All of it out again.
			for len(model) > 0 {
				require.NoError(t, db.Update(ctx, func(tx *Tx) error {
					n := 0
					for k := range model {
						require.NoError(t, tx.Delete([]byte(k)))
						delete(model, k)
						if n++; n > 60 {
							break
						}
					}
					return nil
				}))
				_, err := db.Check()
				require.NoError(t, err)
			}
			r, err := db.Check()
			require.NoError(t, err)
			require.Zero(t, r.Depth)
		})
	}
}
