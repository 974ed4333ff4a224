package posixsem_test

import (
	"context"
	"errors"
	"math"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/posixsem"
	"unpipc/gobind/posixshm"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

// shared is memory of a new shared memory object, and the object's name.
func shared(t *testing.T) ([]byte, string) {
	t.Helper()
	name := "/" + ipctest.Name(t)
	o, err := posixshm.Open(name, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL, 0o600)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, posixshm.Unlink(name)) })
	require.NoError(t, o.Allocate(4096))
	memory, err := o.Map(4096, true)
	require.NoError(t, err)
	require.NoError(t, o.Close())
	t.Cleanup(func() { assert.NoError(t, posixshm.Unmap(memory)) })
	return memory, name
}

func semaphore(t *testing.T, value uint) *posixsem.Sem {
	t.Helper()
	memory, _ := shared(t)
	s, err := posixsem.Init(memory, value)
	require.NoError(t, err)
	return s
}

func value(t *testing.T, s *posixsem.Sem) int {
	t.Helper()
	v, err := s.Value()
	require.NoError(t, err)
	return v
}

func TestWaitTakesAndPostGives(t *testing.T) {
	s := semaphore(t, 2)
	require.NoError(t, s.Wait())
	require.NoError(t, s.WaitContext(t.Context()))
	assert.Zero(t, value(t, s))
	assert.ErrorIs(t, s.TryWait(), unix.EAGAIN)
	require.NoError(t, s.Post())
	assert.Equal(t, 1, value(t, s))
	require.NoError(t, s.TryWait())
	require.NoError(t, s.Destroy())
}

func TestDeadlineThatPassesTakesNothing(t *testing.T) {
	s := semaphore(t, 0)
	assert.ErrorIs(t, s.WaitBy(time.Now().Add(time.Millisecond)), unix.ETIMEDOUT)
	assert.ErrorIs(t, s.WaitBy(time.Unix(-1, 0)), unix.ETIMEDOUT)
	require.NoError(t, s.Post())
	require.NoError(t, s.WaitBy(time.Unix(0, 0)), "what is there is taken whatever the time")
	assert.Zero(t, value(t, s))
}

func TestEndOfTheContextEndsTheWaitAndTakesNothing(t *testing.T) {
	s := semaphore(t, 0)
	reason := errors.New("enough")
	for range 50 {
		ctx, cancel := context.WithCancelCause(t.Context())
		ended := make(chan error)
		go func() { ended <- s.WaitContext(ctx) }()
		runtime.Gosched()
		cancel(reason)
		require.ErrorIs(t, <-ended, reason)
	}
	require.NoError(t, s.Post())
	assert.Equal(t, 1, value(t, s))
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(reason)
	assert.ErrorIs(t, s.WaitContext(ctx), reason)
	assert.Equal(t, 1, value(t, s))
}

func TestNoTokenIsLostWhenContextsEndWhilePosting(t *testing.T) {
	s := semaphore(t, 0)
	const rounds = 200
	taken := 0
	for range rounds {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- s.WaitContext(ctx) }()
		go cancel()
		require.NoError(t, s.Post())
		if err := <-ended; err == nil {
			taken++
		} else {
			require.ErrorIs(t, err, context.Canceled)
		}
		cancel()
	}
	assert.Equal(t, rounds, taken+value(t, s))
}

// A signal whose handler was installed without SA_RESTART ends sem_wait with EINTR; the
// one that ends waits for a context is sent to a thread that waits without one.
func TestInterruptedWaitWaitsOn(t *testing.T) {
	s := semaphore(t, 0)
	tid := make(chan int)
	ended := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		tid <- unix.Gettid()
		ended <- s.Wait()
	}()
	thread := <-tid
	// The handler is there after the first wait that a context has ended.
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	require.ErrorIs(t, s.WaitContext(ctx), context.DeadlineExceeded)
	const interrupt = unix.Signal(63)
	for range 20 {
		require.NoError(t, unix.Tgkill(os.Getpid(), thread, interrupt))
		runtime.Gosched()
	}
	select {
	case err := <-ended:
		t.Fatalf("the wait ended: %v", err)
	default:
	}
	require.NoError(t, s.Post())
	require.NoError(t, <-ended)
}

var _ = ipctest.Role("echo", func(args []string) int {
	o, err := posixshm.Open(args[0], unix.O_RDWR, 0)
	if err != nil {
		panic(err)
	}
	memory, err := o.Map(4096, true)
	if err != nil {
		panic(err)
	}
	there, err := posixsem.At(memory)
	if err != nil {
		panic(err)
	}
	back, err := posixsem.At(memory[64:])
	if err != nil {
		panic(err)
	}
	for memory[128] != 'q' {
		if err := errors.Join(there.Wait(), back.Post()); err != nil {
			panic(err)
		}
	}
	return 0
})

func TestProcessesTakeTurns(t *testing.T) {
	memory, name := shared(t)
	there, err := posixsem.Init(memory, 0)
	require.NoError(t, err)
	back, err := posixsem.Init(memory[64:], 0)
	require.NoError(t, err)
	other := ipctest.Command(t, "echo", name)
	other.Stderr = os.Stderr
	require.NoError(t, other.Start())
	for i := range 1000 {
		if i == 999 {
			memory[128] = 'q'
		}
		require.NoError(t, there.Post())
		require.NoError(t, back.Wait())
	}
	require.NoError(t, other.Wait())
}

func TestWhatIsNoSemaphoreIsRefused(t *testing.T) {
	memory, _ := shared(t)
	_, err := posixsem.Init(memory, math.MaxInt32+1)
	assert.ErrorIs(t, err, unix.EINVAL)
	_, err = posixsem.Init(memory, 1<<40)
	assert.ErrorIs(t, err, unix.EINVAL)
	_, err = posixsem.Init(memory[1:], 0)
	assert.ErrorIs(t, err, unix.EINVAL, "not aligned")
	_, err = posixsem.At(memory[:posixsem.Size-1])
	assert.ErrorIs(t, err, unix.EINVAL, "too small")
	s, err := posixsem.Init(memory, math.MaxInt32)
	require.NoError(t, err)
	err = s.Post()
	assert.ErrorIs(t, err, unix.EOVERFLOW)
	var call *os.SyscallError
	require.ErrorAs(t, err, &call)
	assert.Equal(t, "sem_post", call.Syscall)
}
