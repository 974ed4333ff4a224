package shortlived_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	_ "unpipc/gobind/process/shortlived"
)

// arenas are the mappings that begin where only an arena of malloc's does: at a multiple
// of its greatest size, 64 MiB, in use from there on. Go's heap has its own addresses.
func arenas(t *testing.T) (found []string) {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/maps")
	require.NoError(t, err)
	for line := range strings.Lines(string(maps)) {
		var begin, end uint64
		var mode string
		_, err := fmt.Sscanf(line, "%x-%x %s", &begin, &end, &mode)
		require.NoError(t, err)
		if begin%(64<<20) == 0 && mode == "rw-p" && end-begin < 1<<20 && begin > 0x7e<<40 {
			found = append(found, line)
		}
	}
	return found
}

func TestThreadsHaveNoArenasOfTheirOwn(t *testing.T) {
	var ready, done sync.WaitGroup
	leave := make(chan struct{})
	for range 8 {
		ready.Add(1)
		done.Go(func() {
			runtime.LockOSThread() // so that each is a thread
			defer runtime.UnlockOSThread()
			ready.Done()
			<-leave
		})
	}
	ready.Wait()
	assert.Empty(t, arenas(t))
	close(leave)
	done.Wait()
}
