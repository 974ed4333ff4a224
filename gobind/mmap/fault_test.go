package mmap_test

import (
	"fmt"
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/mmap"
)

func isFault(t *testing.T, err error, offset int) {
	t.Helper()
	var fault *mmap.FaultError
	require.ErrorAs(t, err, &fault)
	assert.Equal(t, offset, fault.Offset)
	assert.ErrorIs(t, err, unix.EFAULT)
	assert.NotErrorIs(t, err, unix.EINVAL)
	assert.ErrorContains(t, err, fmt.Sprintf("byte %d ", offset))
}

func TestAFileTruncatedUnderAMappingIsAnError(t *testing.T) {
	f := newFile(t, 4*mmap.PageSize)
	memory := mapped(t, f, 0, 4*mmap.PageSize, readWrite, unix.MAP_SHARED)
	memory[2*mmap.PageSize] = 1
	require.NoError(t, f.Truncate(int64(mmap.PageSize)+1))
	at := 2*mmap.PageSize + 9
	for name, touch := range map[string]func(){
		"read":  func() { runtime.KeepAlive(memory[at]) },
		"write": func() { memory[at] = 1 },
	} {
		t.Run(name, func(t *testing.T) { isFault(t, mmap.Catch(memory, touch), at) })
	}
	t.Run("copy", func(t *testing.T) {
		err := mmap.Catch(memory, func() { copy(make([]byte, len(memory)), memory) })
		var fault *mmap.FaultError
		require.ErrorAs(t, err, &fault)
		assert.GreaterOrEqual(t, fault.Offset, 2*mmap.PageSize)
	})
	t.Run("a system call", func(t *testing.T) {
		_, err := f.WriteAt(memory[at:at+1], 0)
		assert.ErrorIs(t, err, unix.EFAULT)
		_, err = f.WriteAt([]byte{0}, 0)
		require.NoError(t, err)
	})
	t.Run("populate", func(t *testing.T) {
		ipctest.IsSyscallError(t, mmap.Advise(memory, unix.MADV_POPULATE_READ), "madvise", unix.EFAULT)
	})
	t.Run("what is left", func(t *testing.T) {
		assert.NoError(t, mmap.Catch(memory, func() { memory[2*mmap.PageSize-1]++ }), "the rest of its last page")
	})
	t.Run("grown again", func(t *testing.T) {
		require.NoError(t, f.Truncate(int64(len(memory))))
		assert.NoError(t, mmap.Catch(memory, func() { assert.Zero(t, memory[2*mmap.PageSize]) }))
	})
}

func TestProtectedMemoryIsAnError(t *testing.T) {
	memory, err := mmap.Map(-1, 0, 2*mmap.PageSize, readWrite, anonymous)
	require.NoError(t, err)
	defer mmap.Unmap(memory)
	require.NoError(t, mmap.Protect(memory[mmap.PageSize+1:mmap.PageSize+2], unix.PROT_READ), "its page alone")
	memory[mmap.PageSize-1] = 1
	isFault(t, mmap.Catch(memory, func() { memory[mmap.PageSize] = 1 }), mmap.PageSize)
	require.NoError(t, mmap.Protect(memory, readWrite))
	assert.NoError(t, mmap.Catch(memory, func() { memory[mmap.PageSize] = 1 }))
}

func TestOtherFaultsAndPanicsAreNotCaught(t *testing.T) {
	memory, err := mmap.Map(-1, 0, 3*mmap.PageSize, unix.PROT_NONE, anonymous)
	require.NoError(t, err)
	defer mmap.Unmap(memory)
	assert.Panics(t, func() {
		_ = mmap.Catch(memory[mmap.PageSize:2*mmap.PageSize], func() { memory[0] = 1 })
	}, "before it")
	assert.Panics(t, func() {
		_ = mmap.Catch(memory[mmap.PageSize:2*mmap.PageSize], func() { memory[2*mmap.PageSize] = 1 })
	}, "behind it")
	assert.PanicsWithValue(t, "mine", func() { _ = mmap.Catch(memory, func() { panic("mine") }) })
	assert.Panics(t, func() {
		_ = mmap.Catch(memory, func() {
			var nothing *int
			*nothing = 1
		})
	})
}

var _ = ipctest.Role("fault after Catch", func([]string) int {
	memory, err := mmap.Map(-1, 0, mmap.PageSize, unix.PROT_NONE, anonymous)
	if err != nil {
		return 10
	}
	if mmap.Catch(memory, func() { memory[0] = 1 }) == nil {
		return 11
	}
	defer func() {
		if recover() != nil {
			os.Exit(12) // faults were left to be panics
		}
	}()
	memory[0] = 1
	return 13
})

func TestAfterCatchAFaultEndsTheProgramAsBefore(t *testing.T) {
	cmd := ipctest.Command(t, "fault after Catch")
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	assert.Equal(t, 2, cmd.ProcessState.ExitCode(), "Go's own end: %s", out)
	assert.Contains(t, string(out), "unexpected fault address")
}
