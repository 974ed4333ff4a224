package posixsem_test

import (
	"testing"

	"unpipc/gobind/posixsem"
)

func BenchmarkWaitPost(b *testing.B) {
	s, err := posixsem.New(1)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Destroy()
	for name, way := range ways {
		s := way(s)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if s.Wait() != nil || s.Post() != nil {
					b.Fatal("failed")
				}
			}
		})
	}
}
