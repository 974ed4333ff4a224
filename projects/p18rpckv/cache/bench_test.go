package cache

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
)

func benchmark(b *testing.B, run func(b *testing.B, w *Writer, r *Reader, value []byte)) {
	for _, size := range []int{100, 65536} {
		b.Run(fmt.Sprintf("value of %d bytes", size), func(b *testing.B) {
			w, err := Create("/"+ipctest.Name(b), DefaultSize)
			require.NoError(b, err)
			defer w.Close()
			w.Beat(1, 0)
			r, err := Open(w.object.Name())
			require.NoError(b, err)
			defer r.Close()
			w.Put([]byte("k"), make([]byte, size), 1)
			b.ResetTimer()
			run(b, w, r, make([]byte, size))
		})
	}
}

func BenchmarkGet(b *testing.B) {
	benchmark(b, func(b *testing.B, _ *Writer, r *Reader, _ []byte) {
		for b.Loop() {
			if f, err := r.Get([]byte("k")); err != nil || !f.Present {
				b.Fatal(f, err)
			}
		}
	})
}

func BenchmarkPut(b *testing.B) {
	benchmark(b, func(b *testing.B, w *Writer, _ *Reader, value []byte) {
		for i := uint64(1); b.Loop(); i++ {
			w.Put([]byte("k"), value, i)
		}
	})
}
