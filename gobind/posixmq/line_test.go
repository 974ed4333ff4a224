package posixmq_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/posixmq"
)

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
		inLine(t, i+1)
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
		inLine(t, i+1)
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
		inLine(t, 1)
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
	ipctest.Asleep(t, unix.SYS_MQ_TIMEDRECEIVE, 1)
	require.NoError(t, q.Send(nil, 0))
	assert.Equal(t, "sleeper", <-order)
	require.NoError(t, q.Send(nil, 0))
	assert.Equal(t, "context", <-order)
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

func TestTwoThousandWaitOnAFewThreads(t *testing.T) {
	cmd := ipctest.Command(t, "wait in thousands", newName(t))
	cmd.Env = append(os.Environ(), fmt.Sprintf("GOMAXPROCS=%d", min(4, runtime.NumCPU())))
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	var threads int
	var took string
	_, err = fmt.Sscan(strings.TrimSpace(string(out)), &threads, &took)
	require.NoError(t, err)
	assert.LessOrEqual(t, threads, 20)
	t.Logf("2,000 waited on %d threads and were cancelled within %s", threads, took)
}
