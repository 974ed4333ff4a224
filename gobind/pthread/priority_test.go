package pthread_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/pthread"
)

// realtime puts the calling thread under SCHED_FIFO with this priority; false where that
// is not allowed.
func realtime(t *testing.T, priority uint32) bool {
	err := unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: priority}, 0)
	if err != nil {
		assert.ErrorIs(t, err, unix.EPERM)
	}
	return err == nil
}

// priority is that of the calling thread, 0 if it is under no real-time policy.
func priority(t *testing.T) uint32 {
	attr, err := unix.SchedGetAttr(0, 0)
	assert.NoError(t, err)
	return attr.Priority
}

func TestACeilingIsThePriorityOfTheOwner(t *testing.T) {
	m := newMutex(t, pthread.MutexAttr{Protocol: pthread.Protect, Ceiling: 20})
	ceiling, err := m.Ceiling()
	require.NoError(t, err)
	assert.Equal(t, 20, ceiling)
	old, err := m.SetCeiling(30)
	require.NoError(t, err)
	assert.Equal(t, 20, old)
	ceiling, err = m.Ceiling()
	require.NoError(t, err)
	assert.Equal(t, 30, ceiling)
	_, err = m.SetCeiling(100)
	ipctest.IsSyscallError(t, err, "pthread_mutex_setprioceiling", unix.EINVAL)

	pthread.Go(func() {
		assert.Error(t, m.Lock(), "under no real-time policy")
	}).Join()
	pthread.Go(func() {
		if !realtime(t, 10) {
			return
		}
		assert.NoError(t, m.Lock())
		assert.Equal(t, uint32(30), priority(t))
		assert.NoError(t, m.Unlock())
		assert.Equal(t, uint32(10), priority(t))
		assert.NoError(t, m.LockContext(t.Context()))
		assert.Equal(t, uint32(30), priority(t))
		assert.NoError(t, m.Unlock())
	}).Join()
	pthread.Go(func() {
		if realtime(t, 40) {
			assert.ErrorIs(t, m.Lock(), unix.EINVAL, "higher than the ceiling")
		}
	}).Join()

	for _, other := range []pthread.Protocol{pthread.NoProtocol, pthread.Inherit} {
		m := newMutex(t, pthread.MutexAttr{Protocol: other})
		_, err := m.Ceiling()
		ipctest.IsSyscallError(t, err, "pthread_mutex_getprioceiling", unix.EINVAL)
		_, err = m.SetCeiling(10)
		ipctest.IsSyscallError(t, err, "pthread_mutex_setprioceiling", unix.EINVAL)
	}
	lowest := newMutex(t, pthread.MutexAttr{Protocol: pthread.Protect})
	ceiling, err = lowest.Ceiling()
	require.NoError(t, err)
	assert.Equal(t, 1, ceiling)
}

func TestAnOwnerInheritsThePriorityOfAWaiter(t *testing.T) {
	m, memory := mutexIn(t, pthread.MutexAttr{Protocol: pthread.Inherit})
	held, release := make(chan struct{}), make(chan struct{})
	owner := pthread.Go(func() {
		assert.NoError(t, m.Lock())
		close(held)
		<-release
		assert.NoError(t, m.Unlock())
	})
	<-held
	ordinary := kernelPriority(t, owner.ID())
	waiter := pthread.Go(func() {
		if realtime(t, 10) {
			assert.NoError(t, then(m.Lock, m.Unlock)())
		} else {
			assert.ErrorIs(t, m.LockFor(1), unix.ETIMEDOUT)
		}
	})
	if realtimeAllowed(t) {
		asleepAt(t, memory, 1)
		ipctest.Eventually(t, func() bool { return kernelPriority(t, owner.ID()) == "-11" }, "it runs as -1 - 10")
	}
	close(release)
	waiter.Join()
	owner.Join()
	assert.NotEqual(t, "-11", ordinary)
	require.NoError(t, m.Destroy())
}

func realtimeAllowed(t *testing.T) (allowed bool) {
	pthread.Go(func() { allowed = realtime(t, 1) }).Join()
	return allowed
}

// kernelPriority is field 18 of /proc/PID/stat: see proc_pid_stat(5).
func kernelPriority(t *testing.T, tid int) string {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/stat", tid))
	require.NoError(t, err)
	_, rest, _ := bytes.Cut(stat, []byte(") "))
	return strings.Fields(string(rest))[18-3]
}
