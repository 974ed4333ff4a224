package posixmq_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/posixmq"
)

var _ = ipctest.Role("wait without the permission", func(args []string) int {
	open := func(name string) *posixmq.Queue {
		q, err := posixmq.Open(name, unix.O_CREAT|unix.O_EXCL|unix.O_RDWR, 0, &posixmq.Attr{MaxMsg: 1, MsgSize: 8})
		if err != nil {
			fmt.Println(err)
			os.Exit(10)
		}
		return q
	}
	earlier := open(args[0])
	defer posixmq.Unlink(args[0])
	if os.Geteuid() == 0 && syscall.Setuid(65534) != nil {
		return 11
	}
	// Made by somebody whom the mode keeps from opening it.
	ours := open(args[1])
	defer posixmq.Unlink(args[1])
	if ours.Alone() == nil {
		return 12
	}
	for _, q := range []*posixmq.Queue{earlier, ours} {
		if _, err := posixmq.Open(q.Name(), unix.O_RDONLY, 0, nil); ipctest.Errno(err) != unix.EACCES {
			fmt.Println(err)
			return 13
		}
		done := make(chan error)
		go func() { _, _, err := q.ReceiveContext(context.Background(), make([]byte, 8)); done <- err }()
		for r := 0; r != 1; r, _ = q.Waiting() {
			runtime.Gosched()
		}
		if q.Send(nil, 0) != nil || <-done != nil {
			return 14
		}
	}
	return 0
})

func TestWaitingNeedsNoPermissionBeyondTheOpenQueue(t *testing.T) {
	out, err := ipctest.Command(t, "wait without the permission", newName(t), newName(t)).CombinedOutput()
	assert.NoError(t, err, string(out))
}

var _ = ipctest.Role("wait without descriptors", func(args []string) int {
	q, err := posixmq.Open(args[0], unix.O_CREAT|unix.O_RDWR, 0o600, &posixmq.Attr{MaxMsg: 1, MsgSize: 8})
	if err != nil {
		return 10
	}
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil {
		return 11
	}
	few := unix.Rlimit{Cur: 3, Max: limit.Max}
	if unix.Setrlimit(unix.RLIMIT_NOFILE, &few) != nil {
		return 12
	}
	if _, _, err := q.ReceiveContext(context.Background(), make([]byte, 8)); ipctest.Errno(err) != unix.EMFILE {
		fmt.Println(err)
		return 13
	}
	// The trouble passes.
	if unix.Setrlimit(unix.RLIMIT_NOFILE, &limit) != nil {
		return 14
	}
	done := make(chan error)
	go func() { _, _, err := q.ReceiveContext(context.Background(), make([]byte, 8)); done <- err }()
	for r := 0; r != 1; r, _ = q.Waiting() {
		runtime.Gosched()
	}
	if q.Send(nil, 0) != nil || <-done != nil {
		return 15
	}
	return 0
})

func TestWantOfDescriptorsIsAnErrorThatPasses(t *testing.T) {
	out, err := ipctest.Command(t, "wait without descriptors", newName(t)).CombinedOutput()
	assert.NoError(t, err, string(out))
}

func TestWaitingLeavesNoDescriptorAfterClose(t *testing.T) {
	descriptors := func() int {
		fds, err := os.ReadDir("/proc/self/fd")
		require.NoError(t, err)
		return len(fds)
	}
	before := descriptors()
	for range 20 {
		q := newQueue(t, 1, 8, 0)
		ctx, cancel := context.WithTimeout(t.Context(), time.Microsecond)
		_, _, err := q.ReceiveContext(ctx, make([]byte, 8))
		require.Equal(t, context.DeadlineExceeded, err)
		cancel()
		require.NoError(t, q.Close())
	}
	assert.Equal(t, before, descriptors())
}
