package pipe_test

import (
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/pipe"
)

func TestTheCapacityIsWhatTheKernelMadeOfTheWish(t *testing.T) {
	r, w := newPipe(t, 0)
	page := os.Getpagesize()
	for wish, want := range map[int]int{0: page, 1: page, page: page, page + 1: 2 * page, 5 * page: 8 * page} {
		got, err := w.SetCapacity(wish)
		require.NoError(t, err)
		assert.Equal(t, want, got)
		got, err = r.Capacity()
		require.NoError(t, err)
		assert.Equal(t, want, got, "both ends are of one pipe")
	}
	for _, wish := range []int{-1, math.MaxInt32 + 2, math.MaxInt64} {
		_, err := w.SetCapacity(wish)
		ipctest.IsSyscallError(t, err, "fcntl", unix.EINVAL)
	}
	_, err := w.SetCapacity(4 * page)
	require.NoError(t, err)
	_, err = w.Write(make([]byte, 3*page))
	require.NoError(t, err)
	_, err = w.SetCapacity(2 * page)
	ipctest.IsSyscallError(t, err, "fcntl", unix.EBUSY)
}

var _ = ipctest.Role("too large a capacity", func([]string) int {
	_, w, err := pipe.New(0)
	if err != nil {
		return 10
	}
	_, err = w.SetCapacity(1 << 30)
	return map[bool]int{true: 5}[os.IsPermission(err)]
})

func TestTheCapacityIsLimitedForTheUnprivileged(t *testing.T) {
	cmd := ipctest.Command(t, "too large a capacity")
	ipctest.AsNobody(cmd)
	cmd.Run()
	assert.Equal(t, 5, cmd.ProcessState.ExitCode())
}

func TestBufferedCountsWhatIsToBeRead(t *testing.T) {
	r, w := newPipe(t, 0)
	for n := range 4 {
		got, err := r.Buffered()
		require.NoError(t, err)
		assert.Equal(t, 100*n, got)
		got, err = w.Buffered()
		require.NoError(t, err)
		assert.Equal(t, 100*n, got, "either end can tell")
		_, err = w.Write(make([]byte, 100))
		require.NoError(t, err)
	}
}

func TestPIPE_BUFIsWhatPOSIXAndLinuxSay(t *testing.T) {
	_, w := newPipe(t, 0)
	n, err := w.AtomicSize()
	require.NoError(t, err)
	assert.Equal(t, 4096, n, "Linux; POSIX asks for 512 at least")
}
