//go:build race

package p15spsc

import (
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/gobind/ipctest"
)

// The race detector knows the language's rules, not the processor's: in memory of the Go
// heap it reports a missing barrier even where the processor would have hidden it.
var _ = ipctest.Role("plain", func(args []string) int {
	q, err := Create(Heap(4), 4, Padded, 0)
	if err != nil {
		return 3
	}
	go func() {
		for n := range uint64(100) {
			for n-atomic.LoadUint64(q.head) >= q.capacity {
				runtime.Gosched()
			}
			*slot(q.slots, q.capacity-1, n) = n
			if args[0] == "atomic" {
				atomic.StoreUint64(q.tail, n+1)
			} else {
				*q.tail = n + 1
			}
		}
	}()
	if err := consume(q, 0, 100, patientTurns()); err != nil {
		return 4
	}
	return 0
})

func TestTheRaceDetectorReportsAnIndexThatIsWrittenPlainly(t *testing.T) {
	said, err := ipctest.Command(t, "plain", "atomic").CombinedOutput()
	require.NoError(t, err, "%s", said)
	said, err = ipctest.Command(t, "plain", "plain").CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, string(said), "DATA RACE")
}
