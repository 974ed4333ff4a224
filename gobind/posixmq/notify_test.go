package posixmq_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/posixmq"
)

// registered is the process that is registered.
func registered(t testing.TB, q *posixmq.Queue) int {
	t.Helper()
	s, err := q.Status()
	require.NoError(t, err)
	return s.NotifyPID
}

func receive(t testing.TB, q *posixmq.Queue) {
	t.Helper()
	_, _, err := q.Receive(make([]byte, 64))
	require.NoError(t, err)
}

// caught is a channel of one kind of signal.
func caught(t *testing.T, sig syscall.Signal) chan os.Signal {
	c := make(chan os.Signal, 100)
	signal.Notify(c, sig)
	t.Cleanup(func() { signal.Stop(c) })
	return c
}

// settled waits until glibc's thread has dealt with all notifications so far: it takes
// them one after the other, so a later one of another queue comes last.
func settled(t *testing.T) {
	t.Helper()
	fence := newQueue(t, 1, 8, 0)
	passed := make(chan struct{})
	require.NoError(t, fence.NotifyThread(func() { close(passed) }))
	require.NoError(t, fence.Send(nil, 0))
	<-passed
	require.NoError(t, fence.Close())
}

func TestTheSignalComesOnceAndOnlyWhenTheQueueWasEmpty(t *testing.T) {
	q := newQueue(t, 5, 8, unix.O_NONBLOCK)
	signals := caught(t, unix.SIGUSR1)
	require.NoError(t, q.NotifySignal(unix.SIGUSR1, 5))
	assert.Equal(t, os.Getpid(), registered(t, q))
	require.NoError(t, q.Send(nil, 0))
	assert.Equal(t, unix.SIGUSR1, <-signals)
	assert.Zero(t, registered(t, q), "one registration, one notification")

	require.NoError(t, q.Send(nil, 0))
	require.NoError(t, q.NotifySignal(unix.SIGUSR1, 5))
	require.NoError(t, q.Send(nil, 0))
	assert.Equal(t, os.Getpid(), registered(t, q), "it was not empty")
	for range 3 {
		receive(t, q)
	}
	require.NoError(t, q.Send(nil, 0))
	<-signals
	assert.Empty(t, signals)
}

func TestTheFunctionIsCalledOnceForOneRegistration(t *testing.T) {
	q := newQueue(t, 5, 8, unix.O_NONBLOCK)
	called := make(chan int, 10)
	for i := range 50 {
		require.NoError(t, q.NotifyThread(func() { called <- i }))
		require.NoError(t, q.Send(nil, 0))
		assert.Equal(t, i, <-called)
		receive(t, q)
		require.NoError(t, q.Send(nil, 0))
		receive(t, q)
	}
	settled(t)
	assert.Empty(t, called)
	assert.Zero(t, posixmq.Pending())
}

func TestAFunctionThatRegistersAgainAndThenDrainsMissesNothing(t *testing.T) {
	q := newQueue(t, 4, 8, unix.O_NONBLOCK)
	sender := open(t, q.Name(), unix.O_WRONLY, nil)
	const n = 3000
	all := make(chan struct{})
	var got atomic.Uint64
	var pending atomic.Int32 // registrations whose functions have not ended
	var notified func()
	register := func() error {
		pending.Add(1)
		err := q.NotifyThread(notified)
		if err != nil {
			pending.Add(-1)
		}
		return err
	}
	drain := func() {
		buf := make([]byte, 8)
		for {
			if _, _, err := q.Receive(buf); err != nil {
				assert.ErrorIs(t, err, unix.EAGAIN)
				return
			}
			// Two drains may run at once, so the order is not to be seen here.
			if got.Add(1) == n {
				close(all)
			}
		}
	}
	notified = func() {
		defer pending.Add(-1)
		// Another function may have registered since this one was notified.
		if err := register(); err != nil {
			assert.ErrorIs(t, err, unix.EBUSY)
		}
		drain()
	}
	require.NoError(t, register())
	for i := range n {
		require.NoError(t, sender.SendContext(t.Context(), binary.LittleEndian.AppendUint64(nil, uint64(i)), 0))
	}
	<-all
	// One that began late still needs the queue.
	ipctest.Eventually(t, func() bool { return registered(t, q) != 0 && pending.Load() == 1 }, "all have ended but the one still registered")
	require.NoError(t, q.NotifyCancel())
	settled(t)
}

func TestNobodyIsNotifiedWhileSomebodySleepsInReceive(t *testing.T) {
	q := newQueue(t, 5, 8, 0)
	signals := caught(t, unix.SIGUSR2)
	require.NoError(t, q.NotifySignal(unix.SIGUSR2, 0))
	done := make(chan error)
	go func() { _, _, err := q.Receive(make([]byte, 8)); done <- err }()
	ipctest.Asleep(t, unix.SYS_MQ_TIMEDRECEIVE, 1)
	require.NoError(t, q.Send(nil, 0))
	require.NoError(t, <-done)
	assert.Equal(t, os.Getpid(), registered(t, q), "still registered")
	assert.Empty(t, signals)
	require.NoError(t, q.Send(nil, 0))
	<-signals
}

func TestANotificationFiresAlthoughAReceiveContextWaits(t *testing.T) {
	q := newQueue(t, 5, 8, 0)
	signals := caught(t, unix.SIGUSR2)
	ipctest.Eventually(t, func() bool {
		require.NoError(t, q.NotifySignal(unix.SIGUSR2, 0))
		done := make(chan error)
		go func() { _, _, err := q.ReceiveContext(t.Context(), make([]byte, 8)); done <- err }()
		waiting(t, q, 1, 0)
		require.NoError(t, q.Send(nil, 0))
		require.NoError(t, <-done)
		// Unless the message came at the very moment of its trying.
		fired := registered(t, q) == 0
		require.NoError(t, q.NotifyCancel())
		return fired
	}, "it fires")
	<-signals
}

func TestARegistrationToBeToldNothing(t *testing.T) {
	q := newQueue(t, 5, 8, 0)
	require.NoError(t, q.NotifyNone())
	assert.Equal(t, os.Getpid(), registered(t, q))
	require.NoError(t, q.Send(nil, 0))
	assert.Zero(t, registered(t, q), "used up all the same")
}

func TestCancelEndsEveryKindOfRegistration(t *testing.T) {
	q := newQueue(t, 5, 8, 0)
	signals := caught(t, unix.SIGUSR1)
	var called atomic.Int32
	for kind, register := range map[string]func() error{
		"signal": func() error { return q.NotifySignal(unix.SIGUSR1, 0) },
		"none":   q.NotifyNone,
		"thread": func() error { return q.NotifyThread(func() { called.Add(1) }) },
	} {
		require.NoError(t, register(), kind)
		require.NoError(t, q.NotifyCancel(), kind)
		assert.Zero(t, registered(t, q), kind)
		require.NoError(t, q.Send(nil, 0))
		receive(t, q)
	}
	require.NoError(t, q.NotifyCancel(), "nothing to cancel is no error")
	settled(t)
	assert.Zero(t, called.Load())
	assert.Empty(t, signals)
	assert.Zero(t, posixmq.Pending())
}

func TestCloseEndsTheRegistration(t *testing.T) {
	watcher := newQueue(t, 5, 8, 0)
	var called atomic.Int32
	for range 100 {
		q := open(t, watcher.Name(), unix.O_RDWR, nil)
		require.NoError(t, q.NotifyThread(func() { called.Add(1) }))
		assert.Equal(t, os.Getpid(), registered(t, watcher))
		require.NoError(t, q.Close())
		assert.Zero(t, registered(t, watcher))
		require.NoError(t, watcher.Send(nil, 0))
		receive(t, watcher)
	}
	settled(t)
	assert.Zero(t, called.Load())
	assert.Zero(t, posixmq.Pending())
}

func TestWhatHasFiredAndNotBegunIsNotCalledAfterClose(t *testing.T) {
	sender := newQueue(t, 5, 8, 0)
	calls, skipped := 0, 0
	for range 200 {
		q := open(t, sender.Name(), unix.O_RDWR, nil)
		called := make(chan struct{}, 1)
		require.NoError(t, q.NotifyThread(func() { called <- struct{}{} }))
		require.NoError(t, sender.Send(nil, 0))
		if calls <= skipped {
			ipctest.Eventually(t, func() bool { return posixmq.Pending() == 0 }, "it begins")
		}
		begun := posixmq.Pending() == 0
		require.NoError(t, q.Close())
		require.Zero(t, posixmq.Pending(), "what is not there is not called")
		if begun {
			<-called
			calls++
		} else {
			skipped++
		}
		receive(t, sender)
		settled(t)
	}
	t.Logf("%d had begun, %d had perhaps not", calls, skipped)
}

func TestClosingAnyDescriptorOfTheQueueEndsTheProcesssRegistration(t *testing.T) {
	q := newQueue(t, 5, 8, 0)
	for range 3 {
		other := open(t, q.Name(), unix.O_RDWR, nil)
		require.NoError(t, q.NotifyThread(func() { t.Error("called") }))
		require.NoError(t, other.Close())
		assert.Zero(t, registered(t, q))
	}
	require.NoError(t, q.Close())
	settled(t)
	assert.Zero(t, posixmq.Pending(), "what had ended unnoticed is forgotten too")
}

func TestOneProcessAQueue(t *testing.T) {
	q := newQueue(t, 5, 8, 0)
	require.NoError(t, q.NotifyThread(func() {}))
	ipctest.IsPathError(t, q.NotifyThread(func() {}), "mq_notify", q.Name(), unix.EBUSY)
	ipctest.IsPathError(t, q.NotifyNone(), "mq_notify", q.Name(), unix.EBUSY)
	busy := errno(unix.EBUSY)
	assert.Equal(t, []string{"0", busy, busy, "0"},
		inC(t, "open "+q.Name()+" r", "none", "signal 10", "cancel").Rest(), "another cannot cancel it either")
	assert.Equal(t, os.Getpid(), registered(t, q))
	assert.Equal(t, 1, posixmq.Pending())
}

var _ = ipctest.Role("register and stay", func(args []string) int {
	q, err := posixmq.Open(args[0], unix.O_RDONLY, 0, nil)
	if err == nil {
		err = q.NotifyThread(func() {})
	}
	fmt.Println(err)
	bufio.NewReader(os.Stdin).ReadString('\n')
	return 0
})

func TestARegistrationDiesWithItsProcess(t *testing.T) {
	q := newQueue(t, 5, 8, 0)
	p := ipctest.Start(t, ipctest.Command(t, "register and stay", q.Name()))
	require.Equal(t, "<nil>", p.Line())
	assert.Equal(t, p.Process.Pid, registered(t, q))
	assert.ErrorIs(t, q.NotifyNone(), unix.EBUSY)
	p.Kill()
	assert.NoError(t, q.NotifyNone())
}

func TestTenThousandRegistrationsLeaveNothing(t *testing.T) {
	q := newQueue(t, 5, 8, unix.O_NONBLOCK)
	things := func() (descriptors, threads int) {
		fds, err := os.ReadDir("/proc/self/fd")
		require.NoError(t, err)
		tasks, err := filepath.Glob("/proc/self/task/*")
		require.NoError(t, err)
		return len(fds), len(tasks)
	}
	called := make(chan struct{})
	fire := func() {
		require.NoError(t, q.NotifyThread(func() { called <- struct{}{} }))
		require.NoError(t, q.Send(nil, 0))
		<-called
		receive(t, q)
	}
	for range 100 {
		fire()
	}
	fds, threads := things()
	for i := range 10_000 {
		if i%10 == 0 {
			fire()
			continue
		}
		require.NoError(t, q.NotifyThread(func() { t.Error("called") }))
		require.NoError(t, q.NotifyCancel())
	}
	settled(t)
	assert.Zero(t, posixmq.Pending())
	now, _ := things()
	assert.Equal(t, fds, now)
	// A few of Go's own may come, but not one for each.
	ipctest.Eventually(t, func() bool { _, now := things(); return now <= threads+8 }, "threads end")
}

func TestAFunctionMayTakeItsTime(t *testing.T) {
	slow, quick := newQueue(t, 5, 8, 0), newQueue(t, 5, 8, 0)
	release, done := make(chan struct{}), make(chan struct{})
	require.NoError(t, slow.NotifyThread(func() { <-release; close(done) }))
	require.NoError(t, slow.Send(nil, 0))
	for range 5 {
		called := make(chan struct{})
		require.NoError(t, quick.NotifyThread(func() { close(called) }))
		require.NoError(t, quick.Send(nil, 0))
		select {
		case <-called:
		case <-time.After(time.Minute):
			t.Fatal("one that takes its time holds up the others")
		}
		receive(t, quick)
	}
	close(release)
	<-done
}
