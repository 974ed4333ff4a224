package posixmq_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/posixmq"
)

// waiting lets receivers and senders wait in the context forms.
func waiting(t testing.TB, q *posixmq.Queue, receivers, senders int) {
	t.Helper()
	ipctest.Eventually(t, func() bool {
		r, s := q.Waiting()
		return r == receivers && s == senders
	}, "they wait")
}

func number(buf []byte) uint64         { return binary.LittleEndian.Uint64(buf) }
func numbered(number int) (msg []byte) { return binary.LittleEndian.AppendUint64(nil, uint64(number)) }

func TestContextFormsTransferWhenTheyCan(t *testing.T) {
	for _, flags := range []int{0, unix.O_NONBLOCK} {
		q := newQueue(t, 2, 8, flags)
		require.NoError(t, q.SendContext(t.Context(), []byte("low"), 1))
		require.NoError(t, q.SendContext(t.Context(), nil, 2))
		buf := make([]byte, 8)
		n, priority, err := q.ReceiveContext(t.Context(), buf)
		require.NoError(t, err)
		assert.Equal(t, 0, n)
		assert.Equal(t, uint(2), priority)
		n, priority, err = q.ReceiveContext(t.Context(), buf)
		require.NoError(t, err)
		assert.Equal(t, "low", string(buf[:n]))
		assert.Equal(t, uint(1), priority)
	}
}

func TestContextFormsWaitEvenOnANonBlockingQueue(t *testing.T) {
	for i, flags := range []int{0, unix.O_NONBLOCK, 0, unix.O_NONBLOCK} {
		q := newQueue(t, 1, 8, flags)
		if i >= 2 {
			require.NoError(t, q.Alone())
		}
		var waiters sync.WaitGroup
		buf := make([]byte, 8)
		waiters.Go(func() {
			n, priority, err := q.ReceiveContext(t.Context(), buf)
			assert.NoError(t, err)
			assert.Equal(t, "x", string(buf[:n]))
			assert.Equal(t, uint(7), priority)
		})
		waiting(t, q, 1, 0)
		require.NoError(t, q.Send([]byte("x"), 7))
		waiters.Wait()

		require.NoError(t, q.Send([]byte("a"), 0))
		waiters.Go(func() { assert.NoError(t, q.SendContext(t.Context(), []byte("b"), 0)) })
		waiting(t, q, 0, 1)
		n, _, err := q.Receive(buf)
		require.NoError(t, err)
		assert.Equal(t, "a", string(buf[:n]))
		waiters.Wait()
		n, _, err = q.Receive(buf)
		require.NoError(t, err)
		assert.Equal(t, "b", string(buf[:n]))
	}
}

func TestAnEndedContextTransfersNothing(t *testing.T) {
	why := errors.New("changed my mind")
	ended, end := context.WithCancelCause(t.Context())
	end(why)
	late, cancel := context.WithDeadline(t.Context(), time.Unix(1, 0))
	defer cancel()
	q := newQueue(t, 2, 8, 0)
	require.NoError(t, q.Send(nil, 0))
	for ctx, cause := range map[context.Context]error{ended: why, late: context.DeadlineExceeded} {
		assert.Equal(t, cause, q.SendContext(ctx, nil, 0))
		_, _, err := q.ReceiveContext(ctx, make([]byte, 8))
		assert.Equal(t, cause, err)
	}
	a, err := q.Attr()
	require.NoError(t, err)
	assert.Equal(t, 1, a.CurMsgs)
}

func TestWaitingEndsWithItsContextAndTransfersNothing(t *testing.T) {
	why := errors.New("no more patience")
	empty, full := newQueue(t, 1, 8, 0), newQueue(t, 1, 8, 0)
	require.NoError(t, full.Send([]byte("old"), 0))
	for range 100 {
		ctx, cancel := context.WithCancelCause(t.Context())
		errs := make(chan error, 2)
		go func() { _, _, err := empty.ReceiveContext(ctx, make([]byte, 8)); errs <- err }()
		go func() { errs <- full.SendContext(ctx, []byte("new"), 1) }()
		waiting(t, empty, 1, 0)
		waiting(t, full, 0, 1)
		cancel(why)
		require.Equal(t, why, <-errs)
		require.Equal(t, why, <-errs)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, _, err := empty.ReceiveContext(ctx, make([]byte, 8))
	assert.Equal(t, context.DeadlineExceeded, err)
	assert.Equal(t, context.DeadlineExceeded, full.SendContext(ctx, nil, 1))
	for q, want := range map[*posixmq.Queue]int{empty: 0, full: 1} {
		a, err := q.Attr()
		require.NoError(t, err)
		assert.Equal(t, want, a.CurMsgs)
	}
}

func TestAContextEndsItsOwnWaitingOnly(t *testing.T) {
	q := newQueue(t, 10, 8, 0)
	const n = 20
	var cancels [n]context.CancelFunc
	var outcomes [n]chan error
	for i := range n {
		var ctx context.Context
		ctx, cancels[i] = context.WithCancel(t.Context())
		defer cancels[i]()
		outcomes[i] = make(chan error, 1)
		go func() { _, _, err := q.ReceiveContext(ctx, make([]byte, 8)); outcomes[i] <- err }()
		waiting(t, q, i+1, 0)
	}
	// The first has the turn; ending others must not disturb it, nor it the others.
	for left, i := range []int{7, 0, 1, 19, 3} {
		cancels[i]()
		require.Equal(t, context.Canceled, <-outcomes[i])
		waiting(t, q, n-1-left, 0)
	}
	for range n - 5 {
		require.NoError(t, q.Send(nil, 0))
	}
	for i, outcome := range outcomes {
		if i != 7 && i != 0 && i != 1 && i != 19 && i != 3 {
			require.NoError(t, <-outcome)
		}
	}
}

func TestThoseWhoWaitAreServedInTheOrderInWhichTheyCame(t *testing.T) {
	q := newQueue(t, 10, 8, 0)
	var receivers sync.WaitGroup
	var got [10]uint64
	for i := range 10 {
		receivers.Go(func() {
			buf := make([]byte, 8)
			_, _, err := q.ReceiveContext(t.Context(), buf)
			assert.NoError(t, err)
			got[i] = number(buf)
		})
		waiting(t, q, i+1, 0)
	}
	for i := range 10 {
		require.NoError(t, q.Send(numbered(i), 0))
	}
	receivers.Wait()
	for i := range 10 {
		assert.Equal(t, uint64(i), got[i])
	}

	for i := range 10 {
		require.NoError(t, q.Send(numbered(i), 0))
	}
	var senders sync.WaitGroup
	for i := range 10 {
		senders.Go(func() { assert.NoError(t, q.SendContext(t.Context(), numbered(10+i), 0)) })
		waiting(t, q, 0, i+1)
	}
	buf := make([]byte, 8)
	for i := range 20 {
		_, _, err := q.ReceiveContext(t.Context(), buf)
		require.NoError(t, err)
		assert.Equal(t, uint64(i), number(buf))
	}
	senders.Wait()
}

func TestNobodyOvertakesThoseWhoWait(t *testing.T) {
	q := newQueue(t, 10, 8, 0)
	order := make(chan string, 2)
	receive := func(who string) {
		_, _, err := q.ReceiveContext(t.Context(), make([]byte, 8))
		assert.NoError(t, err)
		order <- who
	}
	for range 100 {
		go receive("first")
		waiting(t, q, 1, 0)
		// Sent and asked for at once: whoever waits already gets it.
		require.NoError(t, q.Send(nil, 0))
		if r, _ := q.Waiting(); r == 1 {
			go receive("second")
			require.Equal(t, "first", <-order)
		} else {
			require.Equal(t, "first", <-order)
			go receive("second")
		}
		require.NoError(t, q.Send(nil, 0))
		require.Equal(t, "second", <-order)
	}
}

func TestASleepingReceiveHasPrecedenceOverTheContextForm(t *testing.T) {
	q := newQueue(t, 1, 8, 0)
	order := make(chan string, 2)
	go func() {
		_, _, err := q.ReceiveContext(t.Context(), make([]byte, 8))
		assert.NoError(t, err)
		order <- "context"
	}()
	waiting(t, q, 1, 0)
	go func() {
		_, _, err := q.Receive(make([]byte, 8))
		assert.NoError(t, err)
		order <- "sleeper"
	}()
	asleep(t, unix.SYS_MQ_TIMEDRECEIVE, 1)
	require.NoError(t, q.Send(nil, 0))
	assert.Equal(t, "sleeper", <-order)
	require.NoError(t, q.Send(nil, 0))
	assert.Equal(t, "context", <-order)
}

// Contexts end at random while messages flow: each message must arrive once, and in
// the order in which it was sent.
func TestNothingIsLostOrDoubledByEndingContexts(t *testing.T) {
	q := newQueue(t, 3, 8, 0)
	endAtRandom(t, q, 3000)
	require.NoError(t, q.Alone(), "without its second descriptor")
	endAtRandom(t, q, 3000)
}

func endAtRandom(t *testing.T, q *posixmq.Queue, count int) {
	impatient := func() (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancel(t.Context())
		switch rand.N(4) {
		case 0:
			cancel()
		case 1:
			go cancel()
		case 2:
			spins := rand.N(200)
			go func() {
				for range spins {
					runtime.Gosched()
				}
				cancel()
			}()
		}
		return ctx, cancel
	}
	var running sync.WaitGroup
	var gaveUp [2]int
	running.Go(func() {
		for i := 0; i < count; {
			ctx, cancel := impatient()
			err := q.SendContext(ctx, numbered(i), 0)
			cancel()
			if err == nil {
				i++
			} else if !assert.Equal(t, context.Canceled, err) {
				return
			} else {
				gaveUp[0]++
			}
		}
	})
	buf := make([]byte, 8)
	for i := 0; i < count; {
		ctx, cancel := impatient()
		_, _, err := q.ReceiveContext(ctx, buf)
		cancel()
		if err == nil {
			require.Equal(t, uint64(i), number(buf))
			i++
		} else {
			require.Equal(t, context.Canceled, err)
			gaveUp[1]++
		}
	}
	running.Wait()
	a, err := q.Attr()
	require.NoError(t, err)
	assert.Zero(t, a.CurMsgs)
	t.Logf("%d of the senders' contexts and %d of the receivers' ended first", gaveUp[0], gaveUp[1])
}

func TestManyWhoGiveUpAtRandomShareTheMessages(t *testing.T) {
	const count, receivers = 2000, 50
	q := newQueue(t, 5, 8, 0)
	all, stop := context.WithCancel(t.Context())
	defer stop()
	var mu sync.Mutex
	got := map[uint64]int{}
	var running sync.WaitGroup
	for range receivers {
		running.Go(func() {
			buf := make([]byte, 8)
			for all.Err() == nil {
				ctx, cancel := context.WithTimeout(all, time.Duration(rand.N(2000))*time.Microsecond)
				_, _, err := q.ReceiveContext(ctx, buf)
				cancel()
				if err == nil {
					mu.Lock()
					got[number(buf)]++
					if len(got) == count {
						stop()
					}
					mu.Unlock()
				}
			}
		})
	}
	for i := range count {
		require.NoError(t, q.SendContext(t.Context(), numbered(i), 0))
	}
	running.Wait()
	require.Len(t, got, count)
	for i, times := range got {
		require.Equal(t, 1, times, "message %d", i)
	}
}

func TestCloseEndsTheWaitingOfTheContextForms(t *testing.T) {
	for range 20 {
		empty, full := newQueue(t, 1, 8, 0), newQueue(t, 1, 8, 0)
		require.NoError(t, full.Send(nil, 0))
		outcomes := make(chan error)
		for range 10 {
			go func() { _, _, err := empty.ReceiveContext(t.Context(), make([]byte, 8)); outcomes <- err }()
			go func() { outcomes <- full.SendContext(t.Context(), nil, 0) }()
		}
		waiting(t, empty, 10, 0)
		waiting(t, full, 0, 10)
		require.NoError(t, empty.Close())
		require.NoError(t, full.Close())
		for range 20 {
			require.ErrorIs(t, <-outcomes, unix.EBADF)
		}
	}
}

func TestCloseAmidTransfersEndsThem(t *testing.T) {
	for range 50 {
		q := newQueue(t, 3, 8, 0)
		var running sync.WaitGroup
		for range 3 {
			running.Go(func() {
				for errnoOf(q.SendContext(t.Context(), nil, 0)) != unix.EBADF {
				}
			})
			running.Go(func() {
				for err := error(nil); errnoOf(err) != unix.EBADF; {
					_, _, err = q.ReceiveContext(t.Context(), make([]byte, 8))
				}
			})
		}
		for range rand.N(100) {
			runtime.Gosched()
		}
		require.NoError(t, q.Close())
		running.Wait()
	}
}

func TestTheWrongAccessModeIsNoReasonToWait(t *testing.T) {
	q := newQueue(t, 1, 8, 0)
	writer := open(t, q.Name(), unix.O_WRONLY, nil)
	reader := open(t, q.Name(), unix.O_RDONLY, nil)
	_, _, err := writer.ReceiveContext(t.Context(), make([]byte, 8))
	isPath(t, err, "mq_receive", q.Name(), unix.EBADF)
	require.NoError(t, q.Send(nil, 0))
	isPath(t, reader.SendContext(t.Context(), nil, 0), "mq_send", q.Name(), unix.EBADF)

	// Each in its own direction waits.
	done := make(chan error)
	go func() { done <- writer.SendContext(t.Context(), []byte("second"), 0) }()
	waiting(t, writer, 0, 1)
	buf := make([]byte, 8)
	for _, want := range []string{"", "second"} {
		n, _, err := reader.ReceiveContext(t.Context(), buf)
		require.NoError(t, err)
		assert.Equal(t, want, string(buf[:n]))
	}
	require.NoError(t, <-done)
}

func TestBothDirectionsWaitIndependently(t *testing.T) {
	requests, replies := newQueue(t, 1, 8, 0), newQueue(t, 1, 8, 0)
	var serving sync.WaitGroup
	const rounds = 2000
	serving.Go(func() {
		buf := make([]byte, 8)
		for range rounds {
			n, priority, err := requests.ReceiveContext(t.Context(), buf)
			if assert.NoError(t, err) {
				assert.NoError(t, replies.SendContext(t.Context(), buf[:n], priority))
			}
		}
	})
	buf := make([]byte, 8)
	for i := range rounds {
		require.NoError(t, requests.SendContext(t.Context(), numbered(i), uint(i)))
		_, priority, err := replies.ReceiveContext(t.Context(), buf)
		require.NoError(t, err)
		require.Equal(t, uint(i), priority)
		require.Equal(t, uint64(i), number(buf))
	}
	serving.Wait()
}

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
	if err := syscall.Setuid(65534); err != nil {
		fmt.Println(err)
		return 11
	}
	// Made by somebody whom the mode keeps from opening it.
	ours := open(args[1])
	defer posixmq.Unlink(args[1])
	if ours.Alone() == nil {
		return 12
	}
	for _, q := range []*posixmq.Queue{earlier, ours} {
		if _, err := posixmq.Open(q.Name(), unix.O_RDONLY, 0, nil); errnoOf(err) != unix.EACCES {
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
	ipctest.Require(t, os.Geteuid() == 0, "root, to be somebody else")
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
	if _, _, err := q.ReceiveContext(context.Background(), make([]byte, 8)); errnoOf(err) != unix.EMFILE {
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

var _ = ipctest.Role("wait in thousands", func(args []string) int {
	q, err := posixmq.Open(args[0], unix.O_CREAT|unix.O_RDWR, 0o600, &posixmq.Attr{MaxMsg: 1, MsgSize: 8})
	if err != nil {
		fmt.Println(err)
		return 10
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	const n = 2000
	outcomes := make(chan error, n)
	for range n {
		go func() { _, _, err := q.ReceiveContext(ctx, make([]byte, 8)); outcomes <- err }()
	}
	for r := 0; r != n; r, _ = q.Waiting() {
		time.Sleep(time.Millisecond)
	}
	if err := q.Send(nil, 0); err != nil || <-outcomes != nil {
		return 11
	}
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return 12
	}
	start := time.Now()
	cancel()
	for range n - 1 {
		if err := <-outcomes; err != context.Canceled {
			fmt.Println(err)
			return 13
		}
	}
	fmt.Println(len(tasks), time.Since(start))
	return 0
})

func TestTwoThousandWaitOnEightThreads(t *testing.T) {
	cmd := ipctest.Command(t, "wait in thousands", newName(t))
	cmd.Env = append(os.Environ(), fmt.Sprintf("GOMAXPROCS=%d", min(4, runtime.NumCPU())))
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	var threads int
	var took string
	_, err = fmt.Sscan(strings.TrimSpace(string(out)), &threads, &took)
	require.NoError(t, err)
	assert.LessOrEqual(t, threads, 8)
	t.Logf("2,000 waited on %d threads and were cancelled within %s", threads, took)
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
