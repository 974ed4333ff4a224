package p13shmimage

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/sysvshm"
)

// The decoder writes while the segment's memory is found and put together.
func TestASegmentIsTakenWhileItIsWritten(t *testing.T) {
	for _, size := range []int{100, hugePage, 9*hugePage + 5} {
		id, memory, err := newSegment(size)
		require.NoError(t, err)
		taken := make(chan error, 1)
		go func() { taken <- take(memory) }()
		for i := range size {
			memory[i] = byte(i % 251)
		}
		require.NoError(t, <-taken)
		other, err := attach(id)
		require.NoError(t, err)
		require.Len(t, other, len(memory), "all of it")
		for i := range size {
			if other[i] != byte(i%251) {
				require.Equal(t, byte(i%251), other[i], "byte %d of %d", i, size)
			}
		}
		other[size-1] = 255
		assert.Equal(t, byte(255), memory[size-1], "one memory, not two")
		assert.NoError(t, sysvshm.Detach(other))
		assert.NoError(t, sysvshm.Detach(memory))
	}
}
