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
