package reclock_test

import (
	"path/filepath"
	"testing"

	"unpipc/gobind/reclock"
)

// A lock and its unlocking, with nobody else there.
func BenchmarkPair(b *testing.B) {
	path := filepath.Join(b.TempDir(), "lock")
	m, err := reclock.OpenManager(path, 0o600)
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	for name, o := range owners {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if o.Lock(m.Fd(), reclock.Write, reclock.Bytes(0, 1)) != nil || o.Unlock(m.Fd(), reclock.Bytes(0, 1)) != nil {
					b.Fatal()
				}
			}
		})
	}
	b.Run("manager", func(b *testing.B) {
		for b.Loop() {
			l, err := m.Lock(b.Context(), reclock.Write, 0)
			if err != nil || l.Unlock() != nil {
				b.Fatal(err)
			}
		}
	})
}
