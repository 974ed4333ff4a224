package sysvshm_test

import (
	"fmt"
	"log"
	"sync/atomic"

	"unpipc/gobind/mmap"
	"unpipc/gobind/sysvshm"
)

// Removed as soon as it is attached, a segment is left behind by no crash.
func Example() {
	s, err := sysvshm.Get(sysvshm.Private, 4096, 0o600)
	if err != nil {
		log.Fatal(err)
	}
	memory, err := s.Attach(0)
	if err != nil {
		log.Fatal(err)
	}
	defer sysvshm.Detach(memory)
	if err := s.Remove(); err != nil {
		log.Fatal(err)
	}
	// Others who know the identifier can attach it as long as we have it.
	others, err := sysvshm.Open(s.ID()).Attach(sysvshm.ReadOnly)
	if err != nil {
		log.Fatal(err)
	}
	defer sysvshm.Detach(others)

	ours, _ := mmap.View[atomic.Int64](memory, 64)
	theirs, _ := mmap.View[atomic.Int64](others, 64)
	ours.Store(42)
	st, err := s.Stat()
	fmt.Println(theirs.Load(), st.Attached, st.Removed, err)
	// Output: 42 2 true <nil>
}
