package ipctest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
)

func TestMemoryThatIsTouchedIsResident(t *testing.T) {
	before := ipctest.Resident()
	memory, err := unix.Mmap(-1, 0, 64<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_POPULATE)
	require.NoError(t, err)
	defer unix.Munmap(memory)
	assert.Greater(t, ipctest.Resident(), before+32<<20)
}

// needs is a call that needs 10 MiB, and may keep them.
func needs(keep bool) func() bool {
	return func() bool {
		memory, err := unix.Mmap(-1, 0, 10<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_POPULATE)
		return err == nil && (keep || unix.Munmap(memory) == nil)
	}
}

var (
	_ = ipctest.MemoryRole("gives back", needs(false))
	_ = ipctest.MemoryRole("keeps", needs(true))
	_ = ipctest.MemoryRole("fails", func() bool { return false })
)

func TestCallsThatKeepMemoryOrFailAreNoticed(t *testing.T) {
	for role, fails := range map[string]bool{"gives back": false, "keeps": true, "fails": true} {
		assert.Equal(t, fails, judge(t, func(t testing.TB) { ipctest.AssertKeepsNoMemory(t, role) }), role)
	}
}
