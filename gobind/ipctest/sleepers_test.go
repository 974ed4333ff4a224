package ipctest_test

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
)

func TestSleepersAreFoundByTheirCallAndItsArguments(t *testing.T) {
	var fds [2]int
	require.NoError(t, unix.Pipe2(fds[:], unix.O_CLOEXEC))
	defer unix.Close(fds[0])
	done := make(chan int, 2)
	bytes := [2]byte{}
	for i := range bytes {
		go func() {
			tid := unix.Gettid()
			unix.Read(fds[0], bytes[i:i+1])
			done <- tid
		}()
	}
	ofThePipe := func(args [6]uintptr) bool { return args[0] == uintptr(fds[0]) }
	two := ipctest.Asleep(t, unix.SYS_READ, 2, ofThePipe)
	first := ipctest.Sleepers(unix.SYS_READ, func(args [6]uintptr) bool {
		return ofThePipe(args) && args[1] == uintptr(unsafe.Pointer(&bytes[0])) && args[2] == 1
	})
	require.Len(t, first, 1)
	assert.Contains(t, two, first[0])
	assert.Empty(t, ipctest.Sleepers(unix.SYS_WRITE, ofThePipe))
	require.NoError(t, unix.Close(fds[1]))
	assert.ElementsMatch(t, two, []int{<-done, <-done})
	ipctest.Asleep(t, unix.SYS_READ, 0, ofThePipe)
}
