package mmap_test

import (
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/mmap"
)

type header struct {
	Magic uint32
	Count atomic.Uint64
	Names [2][8]byte
	Flags [0]*int
}

func memoryOf(t testing.TB, bytes int) []byte {
	t.Helper()
	memory, err := mmap.Map(-1, 0, bytes, readWrite, anonymous)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, mmap.Unmap(memory)) })
	return memory
}

func TestAViewIsTheMemory(t *testing.T) {
	memory := memoryOf(t, 100)
	h, err := mmap.View[header](memory, 8)
	require.NoError(t, err)
	h.Magic = 0x04030201
	h.Count.Store(7)
	h.Names[1][7] = 9
	assert.Equal(t, []byte{1, 2, 3, 4, 0, 0, 0, 0, 7, 0}, memory[8:18])
	assert.Equal(t, byte(9), memory[8+16+15])

	words, err := mmap.Slice[uint16](memory, 90, 5)
	require.NoError(t, err)
	words[4] = 0x0807
	assert.Equal(t, []byte{7, 8}, memory[98:])
	assert.Equal(t, 5, cap(words))
}

func TestAViewThatDoesNotFitIsAnError(t *testing.T) {
	memory := memoryOf(t, 100)
	size := int(unsafe.Sizeof(header{}))
	_, err := mmap.View[header](memory, 96-size)
	require.NoError(t, err)
	for _, offset := range []int{104 - size, 104, -8, 1<<63 - 8, -1 << 63} {
		_, err = mmap.View[header](memory, offset)
		assert.ErrorContains(t, err, "the memory has 100 bytes")
	}
	for _, c := range []struct{ offset, n int }{{0, 26}, {4, 25}, {0, -1}, {0, 1 << 62}, {96, 2}} {
		_, err = mmap.Slice[uint32](memory, c.offset, c.n)
		assert.Error(t, err, c)
	}
	none, err := mmap.Slice[uint32](memory, 100, 0)
	require.NoError(t, err)
	assert.Empty(t, none)
	_, err = mmap.View[byte](nil, 0)
	assert.Error(t, err)
}

func TestAViewMustBeAligned(t *testing.T) {
	memory := memoryOf(t, 100)
	for offset := 1; offset < 8; offset++ {
		_, err := mmap.View[uint64](memory, offset)
		assert.ErrorContains(t, err, "no multiple of 8")
		_, err = mmap.View[[8]byte](memory, offset)
		assert.NoError(t, err)
	}
	_, err := mmap.View[uint64](memory[3:], 5)
	assert.NoError(t, err, "the address counts")
}

func TestPointersAreNoView(t *testing.T) {
	memory := memoryOf(t, 100)
	for what, err := range map[string]error{
		"string":  second(mmap.View[string](memory, 0)),
		"*int":    second(mmap.View[*int](memory, 0)),
		"[]int":   second(mmap.View[struct{ a [2]struct{ b []int } }](memory, 0)),
		"func()":  second(mmap.View[struct{ f func() }](memory, 0)),
		"any":     second(mmap.View[any](memory, 0)),
		"Pointer": second(mmap.View[unsafe.Pointer](memory, 0)),
	} {
		if what == "any" {
			what = "interface {}"
		}
		assert.ErrorContains(t, err, what)
	}
}

func second[T any](_ T, err error) error { return err }
