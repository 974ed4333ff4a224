package message_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"

	"unpipc/gobind/ipctest"
	"unpipc/projects/internal/message"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

func TestBothEndsOfAMessageHaveItsNumber(t *testing.T) {
	for size := 1; size <= 40; size++ {
		const seq = 0x0102030405060708
		m := make([]byte, size)
		message.Stamp(m, seq)
		assert.True(t, message.Stamped(m, seq), "%d bytes", size)
		assert.False(t, message.Stamped(m, seq+1), "%d bytes", size)
		for _, end := range []int{0, size - 1} {
			m[end]++
			assert.False(t, message.Stamped(m, seq), "%d bytes, byte %d is another", size, end)
			m[end]--
		}
	}
}

func TestMessagesOfOneSizeDiffer(t *testing.T) {
	seen := map[string]uint64{}
	for seq := uint64(1); seq <= 1000; seq++ {
		m := make([]byte, 40)
		message.Fill(m, seq)
		assert.True(t, message.Stamped(m, seq))
		middle := string(m[8:32])
		assert.Zero(t, seen[middle], "message %d is that of this number", seq)
		seen[middle] = seq
	}
}
