package ipctest_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
)

func TestWhatTheKernelTellsOfASystemVObject(t *testing.T) {
	for kind, calls := range map[string]struct{ get, control uintptr }{
		"msg": {unix.SYS_MSGGET, unix.SYS_MSGCTL},
		"shm": {unix.SYS_SHMGET, unix.SYS_SHMCTL},
	} {
		made := map[int32]uintptr{} // identifiers by key
		for range 3 {
			key := ipctest.Key()
			mode, size := uintptr(unix.IPC_CREAT|unix.IPC_EXCL|0o640), uintptr(1)
			if kind == "msg" {
				size, mode = mode, 0
			}
			id, _, errno := unix.Syscall(calls.get, uintptr(key), size, mode)
			require.Zero(t, errno)
			made[key] = id
		}
		require.Len(t, made, 3, "no key twice")
		for key, id := range made {
			told := ipctest.SystemV(t, kind, int(id))
			_, _, errno := unix.Syscall(calls.control, id, unix.IPC_RMID, 0)
			require.Zero(t, errno)
			require.NotNil(t, told)
			assert.Equal(t, int(key), told["key"])
			assert.Equal(t, 0o640, told["perms"])
			assert.Equal(t, os.Geteuid(), told["cuid"])
			assert.Nil(t, ipctest.SystemV(t, kind, int(id)), "it is gone")
		}
	}

	assert.Zero(t, ipctest.SystemVTime(time.Time{}))
	assert.Equal(t, 7, ipctest.SystemVTime(time.Unix(7, 999)))
}
