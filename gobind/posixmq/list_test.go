package posixmq_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/posixmq"
)

func TestListNamesQueuesInOrder(t *testing.T) {
	if _, err := posixmq.List(); err != nil {
		assert.EqualError(t, err, "list /dev/mqueue: not mounted\nfsopen: operation not permitted")
		assert.NoFileExists(t, "/dev/mqueue"+newQueue(t, 1, 8, 0).Name())
		return
	}
	var made []string
	for _, prefix := range []string{"/b-", "/c-", "/a-"} {
		name := prefix + ipctest.Name(t)
		open(t, name, unix.O_CREAT|unix.O_RDWR, nil)
		defer posixmq.Unlink(name)
		made = append(made, name)
	}
	names, err := posixmq.List()
	require.NoError(t, err)
	assert.IsIncreasing(t, names)
	assert.Subset(t, names, made)
}

// The roles look from namespaces of their own.

var _ = ipctest.Role("list", func(args []string) int {
	names, err := posixmq.List()
	fmt.Println(names, err)
	return 0
})

var _ = ipctest.Role("list unmounted", func(args []string) int {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		fmt.Println(err)
		return 10
	}
	for unix.Unmount("/dev/mqueue", unix.MNT_DETACH) == nil {
	}
	names, err := posixmq.List()
	fmt.Println(names, err)
	if err := unix.Setuid(65534); err != nil {
		return 11
	}
	_, err = posixmq.List()
	fmt.Println(err)
	return 0
})

func TestListWithAndWithoutTheMount(t *testing.T) {
	q := newQueue(t, 1, 8, 0)
	run := func(role string, flags uintptr, nobody bool) string {
		cmd := ipctest.Command(t, role)
		cmd.SysProcAttr.Cloneflags = flags
		if nobody {
			require.True(t, ipctest.AsNobody(cmd))
		}
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		return string(out)
	}
	if !ipctest.Isolated() {
		// Whether it is mounted here is not for this test to say.
		listed := run("list", 0, false)
		_, err := os.Stat("/dev/mqueue" + q.Name())
		if err == nil || listed != "[] list /dev/mqueue: not mounted\nfsopen: operation not permitted\n" {
			assert.Contains(t, listed, q.Name())
		}
		return
	}
	assert.Equal(t, "[] <nil>\n", run("list", unix.CLONE_NEWIPC, false), "of one's own namespace, though another's is mounted")
	mine := fmt.Sprintf("[%s] <nil>\n", q.Name())
	assert.Equal(t, mine, run("list", 0, false))
	assert.Equal(t, mine, run("list", 0, true), "without privilege what is mounted is read")
	listed, refused, _ := strings.Cut(run("list unmounted", unix.CLONE_NEWNS, false), "\n")
	assert.Equal(t, mine, listed+"\n")
	assert.Equal(t, "list /dev/mqueue: not mounted\nfsopen: operation not permitted\n", refused)
}
