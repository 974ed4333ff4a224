package p15spsc

import "fmt"

// Kind is how a queue's two ends keep out of each other's way. It is part of the layout.
type Kind uint32

// The kinds, each one step from the one before.
const (
	Naive    Kind = iota // both indices in one cache line, sequentially consistent
	Padded               // each index in a block of its own
	Cached               // release and acquire; each side remembers the other's index
	Deferred             // an index is published when a quarter is done, or nothing is left
	Batched              // slices of 64 items, one publication each
	Mutex                // a mutex and two condition variables
	Sem                  // two semaphores
	kinds
)

var kindNames = [kinds]string{"naive", "padded", "cached", "deferred", "batched", "mutex", "semaphore"}

func (k Kind) String() string {
	if k >= kinds {
		return fmt.Sprintf("kind %d", uint32(k))
	}
	return kindNames[k]
}

// Kinds are the names of all kinds.
func Kinds() []string { return kindNames[:] }

// ParseKind finds a kind by its name.
func ParseKind(name string) (Kind, error) {
	for k, n := range kindNames {
		if n == name {
			return Kind(k), nil
		}
	}
	return 0, fmt.Errorf("%q is none of %v", name, kindNames)
}

// headAt is where the consumer's index is.
func (k Kind) headAt() int {
	if k == Naive || k == Mutex || k == Sem {
		return tailBlock + 8
	}
	return headBlock
}
