// Package instructions has functions whose instructions a test reads.
package instructions

import "unpipc/gobind/ordered"

func Publish(item, index *uint64, value, n uint64) {
	*item = value
	ordered.Store(index, n)
}

func GiveBack(item, index *uint64, n uint64) uint64 {
	value := *item
	ordered.Store(index, n)
	return value
}

func Twice(index *uint64, n uint64) {
	ordered.Store(index, n)
	ordered.Store(index, n+1)
}

func TwicePlainly(index *uint64, n uint64) {
	*index = n
	*index = n + 1
}

func Halves(words *[2]uint32) {
	words[0] = 1
	ordered.Store32(&words[1], 2)
}

func HalvesPlainly(words *[2]uint32) {
	words[0] = 1
	words[1] = 2
}
