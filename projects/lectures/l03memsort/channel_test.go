package l03memsort

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/mmap"
)

func newPair(t *testing.T) (memory []byte, c *channel) {
	t.Helper()
	// Not Go's memory, in which the race detector takes the word for its four bytes.
	memory, err := mmap.Map(-1, 0, MemorySize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANONYMOUS)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, mmap.Unmap(memory)) })
	memory[isWritable] = 1
	c, err = newChannel(memory)
	require.NoError(t, err)
	return memory, c
}

func never() bool  { return false }
func always() bool { return true }

func TestWhatIsSentComesOutAtEverySize(t *testing.T) {
	const part = MemorySize - flagsSize
	for _, size := range []int{0, 1, 4, part - 1, part, part + 1, 3*part + 17} {
		_, c := newPair(t)
		sent, got := bytes.Repeat([]byte("number"), size/6+1)[:size], make([]byte, size)
		done := make(chan error)
		go func() { done <- c.send(sent, never) }()
		require.NoError(t, c.receive(got, never))
		require.NoError(t, <-done)
		require.True(t, bytes.Equal(sent, got), "%d", size)
	}
}

func TestTheFlagsAreTheLecturesBytes(t *testing.T) {
	memory, c := newPair(t)
	require.NoError(t, c.send([]byte{0xff, 0xfe, 0xfd}, never))
	assert.Equal(t, []byte{1, 0, 0xff, 0xfe, 0xfd, 0}, memory[:6])
	got := make([]byte, 3)
	require.NoError(t, c.receive(got, never))
	assert.Equal(t, []byte{0xff, 0xfe, 0xfd}, got)
	assert.Equal(t, []byte{0, 1, 0xff, 0xfe, 0xfd, 0}, memory[:6], "the operations on the word leave its other bytes")
}

func TestWhatWasSentBeforeTheEndOfTheSenderIsReceived(t *testing.T) {
	_, c := newPair(t)
	require.NoError(t, c.send([]byte("last"), never))
	got := make([]byte, 4)
	require.NoError(t, c.receive(got, always))
	assert.Equal(t, "last", string(got))
	assert.ErrorIs(t, c.receive(got, always), errGone)

	require.NoError(t, c.send([]byte("unread"), always))
	assert.ErrorIs(t, c.send([]byte("more"), always), errGone)
}
