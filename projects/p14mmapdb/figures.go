package p14mmapdb

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/dustin/go-humanize"
)

const (
	benchKey   = 16
	benchValue = 100
	benchBatch = 1000
)

// benchRecord is the i-th record: its number in 16 digits, and bytes that follow from it.
func benchRecord(key, value []byte, i int) ([]byte, []byte) {
	key, value = key[:benchKey], value[:benchValue]
	for at, n := benchKey-1, i; at >= 0; at, n = at-1, n/10 {
		key[at] = byte('0' + n%10)
	}
	x := uint64(i)
	for at := 0; at+8 <= benchValue; at += 8 {
		x = x*6364136223846793005 + 1442695040888963407
		binary.LittleEndian.PutUint64(value[at:], x)
	}
	return key, value
}

// bencher measures one database.
type bencher struct {
	out        io.Writer
	db         *DB
	n          int
	key, value []byte
}

// Bench measures a database of n records that it makes in a folder, and prints figures.
// Whatever is read is compared with what was written.
func Bench(out io.Writer, dir string, n int, noSync bool) error {
	path := filepath.Join(dir, fmt.Sprintf("unpipc-%d-mmapdb-bench", os.Getpid()))
	if err := Create(path, 0); err != nil {
		return err
	}
	db, err := Open(path, Options{NoSync: noSync})
	if err == nil {
		defer db.Close()
		err = os.Remove(lockPath(path)) // nobody else is to open it, and nothing is to be left
	}
	if e := os.Remove(path); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	b := &bencher{out: out, db: db, n: n, key: make([]byte, benchKey), value: make([]byte, benchValue)}
	fmt.Fprintf(out, "%s records: key %d bytes, value %d bytes\n", humanize.Comma(int64(n)), benchKey, benchValue)
	for _, part := range []struct {
		name string
		run  func(rng *rand.Rand) (int, error)
	}{
		{fmt.Sprintf("fill, random order, %d a transaction", benchBatch), b.fill},
		{"get, random", b.gets},
		{"scan", b.scan},
		{"insert, one a transaction", b.single},
	} {
		start := time.Now()
		done, err := part.run(rand.New(rand.NewPCG(1, 14)))
		if err != nil {
			return err
		}
		rate := float64(done) / time.Since(start).Seconds()
		fmt.Fprintf(out, "%-40s %14s/s\n", part.name+":", humanize.Comma(int64(rate)))
	}
	r, err := db.Check()
	if err == nil {
		fmt.Fprintf(out, "verified: %s records in %s pages\n", humanize.Comma(int64(r.Records)), humanize.Comma(int64(r.Pages)))
	}
	return err
}

func (b *bencher) record(i int) ([]byte, []byte) {
	b.key, b.value = benchRecord(b.key, b.value, i)
	return b.key, b.value
}

func (b *bencher) fill(rng *rand.Rand) (int, error) {
	order := rng.Perm(b.n)
	for len(order) > 0 {
		some := order[:min(benchBatch, len(order))]
		order = order[len(some):]
		err := b.db.Update(context.Background(), func(t *Tx) error {
			for _, i := range some {
				if err := t.Put(b.record(i)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	return b.n, nil
}

func (b *bencher) gets(rng *rand.Rand) (int, error) {
	return b.n, b.db.View(func(t *Tx) error {
		for range b.n {
			key, want := b.record(rng.IntN(b.n))
			got, err := t.Get(key)
			if err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
			if string(got) != string(want) {
				return fmt.Errorf("%s: the value is not what was inserted", key)
			}
		}
		return nil
	})
}

func (b *bencher) scan(*rand.Rand) (int, error) {
	i := 0
	err := b.db.View(func(t *Tx) error {
		c := t.Cursor()
		for more := c.First(); more; more = c.Next() {
			key, want := b.record(i)
			k, got, err := c.Record()
			if err != nil {
				return err
			}
			if string(key) != string(k) || string(got) != string(want) {
				return fmt.Errorf("record %d is not what was inserted", i)
			}
			i++
		}
		if c.Err() == nil && i != b.n {
			return fmt.Errorf("%d records instead of %d", i, b.n)
		}
		return c.Err()
	})
	return i, err
}

// single inserts for two seconds at most.
func (b *bencher) single(rng *rand.Rand) (int, error) {
	end := time.Now().Add(2 * time.Second)
	for i := range b.n {
		key, value := b.record(rng.IntN(b.n))
		if err := b.db.Update(context.Background(), func(t *Tx) error { return t.Put(key, value) }); err != nil {
			return 0, err
		}
		if time.Now().After(end) {
			return i + 1, nil
		}
	}
	return b.n, nil
}
