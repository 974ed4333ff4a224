package ipctest_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
)

func TestLimitsAreSetForATestWhereTheyAreItsOwn(t *testing.T) {
	const file = "/proc/sys/kernel/msgmni"
	limit := func() string {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		return strings.TrimSpace(string(text))
	}
	before := limit()
	t.Run("the test", func(t *testing.T) {
		if !ipctest.Sysctl(t, map[string]string{"kernel/msgmni": "77"}) {
			assert.True(t, !ipctest.Isolated() || unix.Access(file, unix.W_OK) != nil)
			assert.Equal(t, before, limit(), "others need it, too")
			return
		}
		assert.Equal(t, "77", limit())
	})
	assert.Equal(t, before, limit())
}

var _ = ipctest.Role("drop a capability", func([]string) int {
	var sets [2]unix.CapUserData
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	if unix.Capget(&header, &sets[0]) != nil {
		return 10
	}
	want := sets
	want[0].Effective &^= 1 << unix.CAP_CHOWN
	want[1].Effective &^= 1 << (unix.CAP_BPF - 32)
	if ipctest.Drop(unix.CAP_CHOWN, unix.CAP_BPF) != nil || unix.Capget(&header, &sets[0]) != nil {
		return 11
	}
	if sets != want {
		return 12
	}
	return 0
})

func TestNoMoreCapabilitiesAreDroppedThanAreNamed(t *testing.T) {
	assert.NoError(t, ipctest.Command(t, "drop a capability").Run())
}

var _ = ipctest.Role("who", func([]string) int {
	fmt.Print(os.Geteuid(), " ", os.Getegid())
	return 0
})

func TestNobodyIsWhoRootLetsACommandBe(t *testing.T) {
	cmd := ipctest.Command(t, "who")
	changed := ipctest.AsNobody(cmd)
	out, err := cmd.Output()
	require.NoError(t, err)
	if changed {
		assert.Equal(t, "65534 65534", string(out))
	} else {
		assert.NotZero(t, os.Geteuid())
		assert.Equal(t, fmt.Sprint(os.Geteuid(), " ", os.Getegid()), string(out))
	}
}
