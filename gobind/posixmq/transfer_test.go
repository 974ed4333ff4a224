package posixmq_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"sort"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/blocking"
	"unpipc/gobind/internal/errs"
	"unpipc/gobind/ipctest"
	"unpipc/gobind/posixmq"
)

func TestMessagesComeByPriorityThenAge(t *testing.T) {
	q := newQueue(t, 10, 8, unix.O_NONBLOCK)
	type message struct{ priority, number uint }
	var there []message // the model
	buf := make([]byte, 8)
	for number := range uint(5000) {
		if rand.N(2) == 0 {
			m := message{rand.N[uint](4) * 10000, number}
			err := q.Send(binary.LittleEndian.AppendUint64(nil, uint64(m.number)), m.priority)
			if len(there) == 10 {
				require.ErrorIs(t, err, unix.EAGAIN)
				continue
			}
			require.NoError(t, err)
			there = append(there, m)
			sort.SliceStable(there, func(i, j int) bool { return there[i].priority > there[j].priority })
			continue
		}
		_, priority, err := q.Receive(buf)
		if len(there) == 0 {
			require.ErrorIs(t, err, unix.EAGAIN)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, there[0], message{priority, uint(binary.LittleEndian.Uint64(buf))})
		there = there[1:]
	}
}

func TestMessagesOfEverySizeArriveWhole(t *testing.T) {
	limits, err := posixmq.ReadLimits()
	require.NoError(t, err)
	size := min(limits.MsgSizeMax, 100_000)
	q := newQueue(t, 1, size, 0)
	sent := make([]byte, size)
	for i := range sent {
		sent[i] = byte(rand.Uint32())
	}
	for _, n := range []int{0, 1, 2, 47, 48, 49, 4047, 4048, 4049, size - 1, size} {
		require.NoError(t, q.Send(sent[:n], 0))
		buf := make([]byte, size+10)
		got, _, err := q.Receive(buf)
		require.NoError(t, err)
		require.True(t, bytes.Equal(sent[:n], buf[:got]), "%d bytes", n)
		assert.Equal(t, make([]byte, len(buf)-n), buf[n:], "what is behind them is not touched")
	}
}

func TestMessagesOverTheLimitOfRawCallsToo(t *testing.T) {
	const size = 200_000
	sent, got := bytes.Repeat([]byte{7}, size), make([]byte, size)
	past := time.Now()
	sends := func(q *posixmq.Queue, msg []byte) []func() error {
		return []func() error{
			func() error { return q.Send(msg, 1) },
			func() error { return q.SendBy(past, msg, 1) },
			func() error { return q.SendContext(t.Context(), msg, 1) },
		}
	}
	if !ipctest.Sysctl(t, map[string]string{"fs/mqueue/msgsize_max": "200000"}) {
		// No queue takes such messages, but buffers may have that size.
		q := newQueue(t, 1, 8, 0)
		for i, send := range sends(q, sent[:8]) {
			assert.ErrorIs(t, sends(q, sent)[i](), unix.EMSGSIZE)
			require.NoError(t, send())
			n, _, err := q.Receive(got)
			require.NoError(t, err)
			assert.Equal(t, sent[:8], got[:n])
			_, _, err = q.ReceiveBy(past, got)
			assert.ErrorIs(t, err, unix.ETIMEDOUT)
			clear(got)
		}
		return
	}
	q := newQueue(t, 1, size, 0)
	for _, send := range sends(q, sent) {
		require.NoError(t, send())
		assert.ErrorIs(t, q.SendBy(past, sent, 1), unix.ETIMEDOUT)
		n, _, err := q.Receive(got)
		require.NoError(t, err)
		require.True(t, bytes.Equal(sent, got[:n]))
		_, _, err = q.ReceiveBy(past, got)
		assert.ErrorIs(t, err, unix.ETIMEDOUT)
		clear(got)
	}
	assert.ErrorIs(t, q.Send(make([]byte, size+1), 0), unix.EMSGSIZE)
}

func TestSendSleepsWhileTheQueueIsFullAndReceiveWhileItIsEmpty(t *testing.T) {
	q := newQueue(t, 1, 8, 0)
	var sleeping sync.WaitGroup
	buf := make([]byte, 8)
	sleeping.Go(func() {
		n, priority, err := q.Receive(buf)
		assert.NoError(t, err)
		assert.Equal(t, "one", string(buf[:n]))
		assert.Equal(t, uint(9), priority)
	})
	ipctest.Asleep(t, unix.SYS_MQ_TIMEDRECEIVE, 1)
	require.NoError(t, q.Send([]byte("one"), 9))
	sleeping.Wait()

	require.NoError(t, q.Send([]byte("two"), 0))
	sleeping.Go(func() { assert.NoError(t, q.Send([]byte("three"), 0)) })
	ipctest.Asleep(t, unix.SYS_MQ_TIMEDSEND, 1)
	for _, want := range []string{"two", "three"} {
		n, _, err := q.Receive(buf)
		require.NoError(t, err)
		assert.Equal(t, want, string(buf[:n]))
	}
	sleeping.Wait()
}

func TestTimedFormsEndAtTheirDeadlineAndNoSooner(t *testing.T) {
	q := newQueue(t, 1, 8, 0)
	buf := make([]byte, 8)
	for _, patience := range []time.Duration{-time.Hour, 0, time.Millisecond, 50 * time.Millisecond} {
		deadline := time.Now().Add(patience)
		_, _, err := q.ReceiveBy(deadline, buf)
		ipctest.IsPathError(t, err, "mq_timedreceive", q.Name(), unix.ETIMEDOUT)
		assert.False(t, time.Now().Before(deadline))
	}
	require.NoError(t, q.Send(nil, 0))
	for _, patience := range []time.Duration{-time.Hour, 0, time.Millisecond, 50 * time.Millisecond} {
		deadline := time.Now().Add(patience)
		ipctest.IsPathError(t, q.SendBy(deadline, nil, 0), "mq_timedsend", q.Name(), unix.ETIMEDOUT)
		assert.False(t, time.Now().Before(deadline))
	}
	ipctest.IsPathError(t, q.SendBy(time.Time{}, nil, 0), "mq_timedsend", q.Name(), unix.EINVAL)
	_, _, err := q.ReceiveBy(time.Time{}, buf)
	ipctest.IsPathError(t, err, "mq_timedreceive", q.Name(), unix.EINVAL)
	far := time.Unix(1<<62, 0)
	_, _, err = q.ReceiveBy(far, buf)
	require.NoError(t, err)
	require.NoError(t, q.SendBy(far, nil, 0))
}

func TestTimedFormsAreWokenBeforeTheirDeadline(t *testing.T) {
	q := newQueue(t, 1, 8, 0)
	far := time.Now().Add(time.Hour)
	var sleeping sync.WaitGroup
	sleeping.Go(func() {
		_, _, err := q.ReceiveBy(far, make([]byte, 8))
		assert.NoError(t, err)
	})
	ipctest.Asleep(t, unix.SYS_MQ_TIMEDRECEIVE, 1)
	require.NoError(t, q.Send(nil, 0))
	sleeping.Wait()
	require.NoError(t, q.Send(nil, 0))
	sleeping.Go(func() { assert.NoError(t, q.SendBy(far, nil, 0)) })
	ipctest.Asleep(t, unix.SYS_MQ_TIMEDSEND, 1)
	_, _, err := q.Receive(make([]byte, 8))
	require.NoError(t, err)
	sleeping.Wait()
}

// A handler without SA_RESTART makes the kernel give EINTR; Go has none, but package
// blocking leaves one behind.
const interruption = syscall.Signal(63)

func installHandler(t *testing.T) {
	t.Helper()
	var fds [2]int
	require.NoError(t, unix.Pipe2(fds[:], unix.O_CLOEXEC))
	defer unix.Close(fds[0])
	defer unix.Close(fds[1])
	ctx, cancel := context.WithCancel(t.Context())
	go cancel()
	require.ErrorIs(t, blocking.Do(ctx, func() syscall.Errno {
		_, err := unix.Read(fds[0], make([]byte, 1))
		return errs.Errno(err)
	}), context.Canceled)
}

func TestSignalsDoNotEndACallNorProlongIt(t *testing.T) {
	installHandler(t)
	q := newQueue(t, 1, 8, 0)
	bombard := func(call uintptr, rounds int) {
		for range rounds {
			for _, tid := range ipctest.Sleepers(call) {
				_ = unix.Tgkill(os.Getpid(), tid, interruption) // it may just have ended
				_ = unix.Tgkill(os.Getpid(), tid, unix.SIGURG)
			}
			time.Sleep(time.Millisecond)
		}
	}
	for name, test := range map[string]struct {
		call  uintptr
		sleep func() error
		timed func(deadline time.Time) error
		wake  func() error
	}{
		"receive": {
			unix.SYS_MQ_TIMEDRECEIVE,
			func() error { _, _, err := q.Receive(make([]byte, 8)); return err },
			func(by time.Time) error { _, _, err := q.ReceiveBy(by, make([]byte, 8)); return err },
			func() error { return q.Send([]byte("x"), 0) },
		},
		"send": {
			unix.SYS_MQ_TIMEDSEND,
			func() error { return q.Send([]byte("x"), 0) },
			func(by time.Time) error { return q.SendBy(by, []byte("x"), 0) },
			func() error { _, _, err := q.Receive(make([]byte, 8)); return err },
		},
	} {
		if name == "send" {
			require.NoError(t, q.Send(nil, 0))
		}
		ended := make(chan error, 1)
		go func() { ended <- test.sleep() }()
		ipctest.Asleep(t, test.call, 1)
		bombard(test.call, 50)
		assert.Empty(t, ended, "%s still sleeps", name)
		require.NoError(t, test.wake())
		require.NoError(t, <-ended, name)

		deadline := time.Now().Add(100 * time.Millisecond)
		go func() { ended <- test.timed(deadline) }()
		// For as long as it goes on: each restart with a time-out of its own would
		// keep it from ending at all.
		for len(ended) == 0 {
			bombard(test.call, 1)
		}
		assert.ErrorIs(t, <-ended, unix.ETIMEDOUT, name)
		assert.False(t, time.Now().Before(deadline))
		for q.SetNonblock(true) == nil {
			if _, _, err := q.Receive(make([]byte, 8)); err != nil {
				break
			}
		}
		require.NoError(t, q.SetNonblock(false))
	}
}

// Fails under the race detector if it is not told.
func TestWhatWasWrittenBeforeSendMayBeReadAfterReceive(t *testing.T) {
	q := newQueue(t, 1, 8, 0)
	for name, form := range map[string]struct {
		send    func() error
		receive func() error
	}{
		"plain": {
			func() error { return q.Send(nil, 0) },
			func() error { _, _, err := q.Receive(make([]byte, 8)); return err },
		},
		"context": {
			func() error { return q.SendContext(t.Context(), nil, 0) },
			func() error { _, _, err := q.ReceiveContext(t.Context(), make([]byte, 8)); return err },
		},
	} {
		written := 0
		var sending sync.WaitGroup
		sending.Go(func() {
			written = 1
			assert.NoError(t, form.send())
		})
		require.NoError(t, form.receive())
		assert.Equal(t, 1, written, name)
		sending.Wait()
	}
}

func TestStreamsBetweenGoAndC(t *testing.T) {
	const count = 20_000
	name := newName(t)
	q := open(t, name, unix.O_CREAT|unix.O_RDWR, &posixmq.Attr{MaxMsg: 10, MsgSize: 64})

	message := func(seq uint32) []byte {
		m := make([]byte, 4+seq%60)
		binary.LittleEndian.PutUint32(m, seq)
		for i := 4; i < len(m); i++ {
			m[i] = byte(int(seq) + i)
		}
		return m
	}
	ctx := t.Context()
	c := inC(t, "open "+name+" r", "drain 20000")
	for seq := range uint32(count) {
		if seq%2 == 0 {
			require.NoError(t, q.Send(message(seq), uint(seq%3)))
		} else {
			require.NoError(t, q.SendContext(ctx, message(seq), uint(seq%3)))
		}
	}
	assert.Equal(t, []string{"0", "0"}, c.Rest(), "from Go to C")

	c = inC(t, "open "+name+" w", "stream 20000")
	last := [3]int64{-1, -1, -1}
	buf := make([]byte, 64)
	for i := range count {
		receive := func() (int, uint, error) { return q.Receive(buf) }
		if i%2 == 0 {
			receive = func() (int, uint, error) { return q.ReceiveContext(ctx, buf) }
		}
		n, priority, err := receive()
		require.NoError(t, err)
		seq := binary.LittleEndian.Uint32(buf)
		require.Equal(t, message(seq), buf[:n])
		require.Equal(t, seq%3, uint32(priority))
		require.Greater(t, int64(seq), last[priority])
		last[priority] = int64(seq)
	}
	assert.Equal(t, []string{"0", "0"}, c.Rest(), "from C to Go")
}

func TestAfterATrialThatFailedCallsSayTheSame(t *testing.T) {
	q := newQueue(t, 1, 8, unix.O_NONBLOCK)
	buf := make([]byte, 8)
	for range 100 {
		_, _, err := q.Receive(buf)
		ipctest.IsPathError(t, err, "mq_receive", q.Name(), unix.EAGAIN)
		_, _, err = q.Receive(buf[:7])
		ipctest.IsPathError(t, err, "mq_receive", q.Name(), unix.EMSGSIZE)
		require.NoError(t, q.Send([]byte("one"), 3))
		ipctest.IsPathError(t, q.Send([]byte("two"), 0), "mq_send", q.Name(), unix.EAGAIN)
		ipctest.IsPathError(t, q.Send(nil, 1<<32|1), "mq_send", q.Name(), unix.EINVAL)
		n, priority, err := q.Receive(buf)
		require.NoError(t, err)
		require.Equal(t, "one", string(buf[:n]))
		require.Equal(t, uint(3), priority)
	}
}
