package ipctest

import (
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// Drop takes capabilities from the calling thread, which a goroutine that may be moved
// to another one has to lock first: [runtime.LockOSThread].
func Drop(capabilities ...int) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData
	if err := unix.Capget(&header, &sets[0]); err != nil {
		return err
	}
	for _, c := range capabilities {
		sets[c/32].Effective &^= 1 << (c % 32)
	}
	return unix.Capset(&header, &sets[0])
}

// AsNobody has a [Command] run as a user who may do nothing, and says whether it could:
// only root can. Who is not root is bound by the permissions of what is his own.
func AsNobody(cmd *exec.Cmd) bool {
	if os.Geteuid() != 0 {
		return false
	}
	cmd.Path = "/proc/self/exe" // the test binary's folder may not be open to him
	cmd.SysProcAttr.Credential = &syscall.Credential{Uid: 65534, Gid: 65534}
	return true
}

// Sysctl sets limits, files below /proc/sys, of this IPC namespace until the end of the
// test. Where that is not the tests' to do, because they are not [Isolated] or because a
// container has /proc/sys read-only, it sets none and says so: the test is then to assert
// what the limits that are there let it.
func Sysctl(t testing.TB, values map[string]string) bool {
	t.Helper()
	if !Isolated() {
		return false
	}
	for name := range values {
		if unix.Access("/proc/sys/"+name, unix.W_OK) != nil {
			return false
		}
	}
	for name, value := range values {
		file := "/proc/sys/" + name
		before, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file, []byte(value), 0), name)
		t.Cleanup(func() { assert.NoError(t, os.WriteFile(file, before, 0), name) })
	}
	return true
}
