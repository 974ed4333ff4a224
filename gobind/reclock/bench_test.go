package reclock_test

import (
	"path/filepath"
	"testing"

	"unpipc/gobind/reclock"
)

// A lock and its unlocking, with nobody else there.
func BenchmarkPair(b *testing.B) {
	path := filepath.Join(b.TempDir(), "lock")
	table, err := reclock.OpenTable(path, 0o600)
	if err != nil {
		b.Fatal(err)
	}
	defer table.Close()
	for name, o := range owners {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if o.Lock(table.Fd(), reclock.Write, reclock.Bytes(0, 1)) != nil || o.Unlock(table.Fd(), reclock.Bytes(0, 1)) != nil {
					b.Fatal()
				}
			}
		})
	}
	b.Run("table", func(b *testing.B) {
		for b.Loop() {
			l, err := table.Lock(b.Context(), reclock.Write, 0)
			if err != nil || l.Unlock() != nil {
				b.Fatal(err)
			}
		}
	})
}
