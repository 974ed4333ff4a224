package sysvmq_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/sysv/sysvtest"
	"unpipc/gobind/ipctest"
	"unpipc/gobind/sysvmq"
)

// limit sets how many bytes the queue may hold.
func limit(t testing.TB, q *sysvmq.Queue, bytes int) {
	t.Helper()
	s := sysvtest.State(t, q)
	s.MaxBytes = bytes
	require.NoError(t, q.Set(s))
}

// fill leaves no room for another byte.
func fill(t testing.TB, q *sysvmq.Queue) {
	t.Helper()
	limit(t, q, 64)
	require.NoError(t, q.Send(1, make([]byte, 64), 0))
}

func TestReceiveSleepsUntilItsTypeComes(t *testing.T) {
	q := newQueue(t)
	type message struct {
		text  string
		mtype int64
	}
	for _, want := range []struct {
		mtype int64
		flags int
		sent  []message
		got   message
	}{
		{0, 0, []message{{"a", 5}}, message{"a", 5}},
		{5, 0, []message{{"a", 4}, {"b", 6}, {"c", 5}}, message{"c", 5}},
		{-5, 0, []message{{"a", 6}, {"b", 5}}, message{"b", 5}},
		{5, sysvmq.Except, []message{{"a", 5}, {"b", 6}}, message{"b", 6}},
	} {
		done := make(chan message)
		go func() {
			buf := make([]byte, 8)
			n, mtype, err := q.Receive(buf, want.mtype, want.flags)
			assert.NoError(t, err)
			done <- message{string(buf[:n]), mtype}
		}()
		for _, m := range want.sent {
			ipctest.Asleep(t, unix.SYS_MSGRCV, 1)
			require.NoError(t, q.Send(m.mtype, []byte(m.text), 0))
		}
		assert.Equal(t, want.got, <-done)
		for range len(want.sent) - 1 {
			_, _, err := q.Receive(make([]byte, 8), 0, sysvmq.NoWait)
			require.NoError(t, err)
		}
	}
}

func TestSendSleepsUntilThereIsRoom(t *testing.T) {
	q := newQueue(t)
	fill(t, q)
	done := make(chan error)
	go func() { done <- q.Send(2, []byte("x"), 0) }()
	ipctest.Asleep(t, unix.SYS_MSGSND, 1)
	_, mtype, err := q.Receive(make([]byte, 64), 0, 0)
	require.NoError(t, err)
	assert.Equal(t, int64(1), mtype)
	require.NoError(t, <-done)
	_, mtype, err = q.Receive(make([]byte, 64), 0, 0)
	require.NoError(t, err)
	assert.Equal(t, int64(2), mtype)
}

func TestAMessageTooLongForASleeperStays(t *testing.T) {
	q := newQueue(t)
	done := make(chan error)
	go func() { _, _, err := q.Receive(make([]byte, 3), 0, 0); done <- err }()
	ipctest.Asleep(t, unix.SYS_MSGRCV, 1)
	require.NoError(t, q.Send(1, []byte("1234"), 0))
	assert.ErrorIs(t, <-done, unix.E2BIG)
	n, _, err := q.Receive(make([]byte, 4), 0, sysvmq.NoWait)
	require.NoError(t, err)
	assert.Equal(t, 4, n)
}

func TestRemovalEndsEverySleepWithEIDRM(t *testing.T) {
	empty, full := newQueue(t), newQueue(t)
	fill(t, full)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	outcomes := make(chan error)
	for range 5 {
		go func() { _, _, err := empty.Receive(nil, 0, 0); outcomes <- err }()
		go func() { _, _, err := empty.ReceiveContext(ctx, nil, 7, 0); outcomes <- err }()
		go func() { outcomes <- full.Send(1, []byte("x"), 0) }()
		go func() { outcomes <- full.SendContext(ctx, 1, []byte("x"), 0) }()
	}
	ipctest.Asleep(t, unix.SYS_MSGRCV, 10)
	ipctest.Asleep(t, unix.SYS_MSGSND, 10)
	require.NoError(t, empty.Remove())
	require.NoError(t, full.Remove())
	for range 20 {
		assert.ErrorIs(t, <-outcomes, unix.EIDRM)
	}
}

func TestANewLimitWakesSenders(t *testing.T) {
	q := newQueue(t)
	fill(t, q)
	done := make(chan error)
	go func() { done <- q.Send(1, make([]byte, 36), 0) }()
	ipctest.Asleep(t, unix.SYS_MSGSND, 1)
	limit(t, q, 100)
	require.NoError(t, <-done)
}

// msgsnd and msgrcv return EINTR after every signal, also those that the Go runtime
// sends to itself all the time.
func TestSignalsNeitherEndACallNorLoseAMessage(t *testing.T) {
	q := newQueue(t)
	limit(t, q, 24) // three messages, so both ends sleep now and then
	calls := []uintptr{unix.SYS_MSGRCV, unix.SYS_MSGSND}
	var hits [2]atomic.Int64
	ended := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		for {
			select {
			case <-ended:
				return
			default:
			}
			for i, call := range calls {
				for _, tid := range ipctest.Sleepers(call) {
					if unix.Tgkill(os.Getpid(), tid, unix.SIGURG) == nil { // it may just have ended
						hits[i].Add(1)
					}
				}
			}
		}
	})
	hit := func(i int) {
		ipctest.Asleep(t, calls[i], 1)
		before := hits[i].Load()
		ipctest.Eventually(t, func() bool { return hits[i].Load() > before }, "the sleeper is hit")
	}
	const count = 2000
	running.Go(func() {
		for i := range count {
			if i%100 == 0 {
				hit(0) // the receiver, who has taken all there was
			}
			assert.NoError(t, q.Send(1, binary.LittleEndian.AppendUint64(nil, uint64(i)), 0))
		}
	})
	buf := make([]byte, 8)
	for i := range count {
		if i%100 == 50 {
			hit(1) // the sender, who has filled the queue
		}
		_, _, err := q.Receive(buf, 0, 0)
		require.NoError(t, err)
		require.Equal(t, uint64(i), binary.LittleEndian.Uint64(buf))
	}
	close(ended)
	running.Wait()
}

func TestASleepIsNotEndedByASignal(t *testing.T) {
	empty, full := newQueue(t), newQueue(t)
	fill(t, full)
	for call, sleep := range map[uintptr]struct{ call, wake func() error }{
		unix.SYS_MSGRCV: {
			func() error { _, _, err := empty.Receive(nil, 0, 0); return err },
			func() error { return empty.Send(1, nil, 0) },
		},
		unix.SYS_MSGSND: {
			func() error { return full.Send(1, []byte("x"), 0) },
			func() error { _, _, err := full.Receive(make([]byte, 64), 0, 0); return err },
		},
	} {
		done := make(chan error, 1)
		go func() { done <- sleep.call() }()
		for _, sig := range []syscall.Signal{unix.SIGURG, unix.SIGWINCH, 63} {
			for range 20 {
				_ = unix.Tgkill(os.Getpid(), ipctest.Asleep(t, call, 1)[0], sig)
			}
		}
		ipctest.Asleep(t, call, 1)
		assert.Empty(t, done)
		require.NoError(t, sleep.wake())
		require.NoError(t, <-done)
	}
}

func TestAMessageIsUsedWithoutCopies(t *testing.T) {
	q := newQueue(t)
	m := sysvmq.NewMessage(8)
	m.SetType(1 << 40)
	assert.Equal(t, int64(1<<40), m.Type())
	assert.Len(t, m.Data(), 8)
	copy(m.Data(), "abcdefgh")
	for _, n := range []int{0, 3, 8} {
		require.NoError(t, q.SendMessage(t.Context(), m, n, 0))
	}
	for _, n := range []int{-1, 9, 1 << 40} {
		assert.ErrorIs(t, q.SendMessage(t.Context(), m, n, 0), unix.EINVAL)
	}
	for _, want := range []string{"", "abc", "abcdefgh"} {
		got := sysvmq.NewMessage(8)
		n, err := q.ReceiveMessage(t.Context(), got, 0, 0)
		require.NoError(t, err)
		assert.Equal(t, want, string(got.Data()[:n]))
		assert.Equal(t, int64(1<<40), got.Type())
		assert.Equal(t, make([]byte, 8-n), got.Data()[n:], "what is behind it is not touched")
	}

	m.SetType(-3)
	assert.ErrorIs(t, q.SendMessage(t.Context(), m, 1, 0), unix.EINVAL)
	_, err := q.ReceiveMessage(t.Context(), m, 0, sysvmq.NoWait)
	assert.ErrorIs(t, err, unix.ENOMSG)
	assert.Equal(t, int64(-3), m.Type(), "after an error it is as it was")
	assert.Equal(t, "abcdefgh", string(m.Data()))
	assert.Panics(t, func() { new(sysvmq.Message).SetType(1) })
}

func TestAnErrorTellsNothingOfEarlierMessages(t *testing.T) {
	q := newQueue(t)
	require.NoError(t, q.Send(77, []byte("secret"), 0))
	buf := make([]byte, 8)
	_, _, err := q.Receive(buf, 0, 0)
	require.NoError(t, err)
	clear(buf)
	n, mtype, err := q.Receive(buf, 0, sysvmq.NoWait)
	require.ErrorIs(t, err, unix.ENOMSG)
	assert.Zero(t, n)
	assert.Zero(t, mtype)
	assert.Equal(t, make([]byte, 8), buf)
}

// Fails under the race detector if it is not told.
func TestWhatWasWrittenBeforeSendMayBeReadAfterReceive(t *testing.T) {
	q := newQueue(t)
	for range 2 {
		written := 0
		var sending sync.WaitGroup
		sending.Go(func() {
			written = 1
			assert.NoError(t, q.Send(1, nil, 0))
		})
		_, _, err := q.ReceiveContext(t.Context(), nil, 0, 0)
		require.NoError(t, err)
		assert.Equal(t, 1, written)
		sending.Wait()
	}
}

func TestStreamsBetweenGoAndC(t *testing.T) {
	const count = 20_000
	message := func(seq uint32) (mtype int64, data []byte) {
		data = make([]byte, 4+seq%60)
		binary.LittleEndian.PutUint32(data, seq)
		for i := 4; i < len(data); i++ {
			data[i] = byte(int(seq) + i)
		}
		return 1 + int64(seq%3), data
	}
	q := newQueue(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	id := fmt.Sprintf("id %d", q.ID())
	c := inC(t, id, "drain 20000")
	for seq := range uint32(count) {
		mtype, data := message(seq)
		if seq%2 == 0 {
			require.NoError(t, q.Send(mtype, data, 0))
		} else {
			require.NoError(t, q.SendContext(ctx, mtype, data, 0))
		}
	}
	assert.Equal(t, []string{"0", "0"}, c.Rest(), "from Go to C")

	c = inC(t, id, "stream 20000")
	buf := make([]byte, 64)
	for seq := range uint32(count) {
		context := ctx
		if seq%2 == 0 {
			context = t.Context()
		}
		n, mtype, err := q.ReceiveContext(context, buf, 0, 0)
		require.NoError(t, err)
		wantType, want := message(seq)
		require.Equal(t, wantType, mtype)
		require.Equal(t, want, buf[:n])
	}
	assert.Equal(t, []string{"0", "0"}, c.Rest(), "from C to Go")
}

func TestMessagesToAndFromPerl(t *testing.T) {
	key := newKey()
	q, err := sysvmq.Get(key, sysvmq.Create|sysvmq.Excl|0o600)
	require.NoError(t, err)
	sysvtest.RemoveLater(t, q)
	require.NoError(t, q.Send(5, []byte("to perl\x00with NUL"), 0))
	require.NoError(t, q.Send(3, nil, 0))
	out := perl(t, `my $q = msgget(hex $ARGV[0], 0) // die $!;
		my ($m, $type, $text);
		msgrcv($q, $m, 100, -9, 0) or die $!;
		($type, $text) = unpack 'l! a*', $m;
		print "$type:$text\n";
		msgrcv($q, $m, 100, 5, 0) or die $!;
		($type, $text) = unpack 'l! a*', $m;
		print "$type:$text\n";
		msgsnd($q, pack('l! a*', 9, "from\0perl"), 0) or die $!`, strings.TrimPrefix(key.String(), "0x"))
	assert.Equal(t, "3:\n5:to perl\x00with NUL\n", out)
	buf := make([]byte, 100)
	n, mtype, err := q.Receive(buf, 0, sysvmq.NoWait)
	require.NoError(t, err)
	assert.Equal(t, int64(9), mtype)
	assert.Equal(t, "from\x00perl", string(buf[:n]))
}
