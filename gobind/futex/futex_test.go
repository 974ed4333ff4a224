package futex_test

import (
	"context"
	"errors"
	"os"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/futex"
	"unpipc/gobind/ipctest"
	"unpipc/gobind/posixshm"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

// wake wakes until so many have been woken.
func wake(t *testing.T, word *atomic.Uint32, all int) {
	t.Helper()
	ipctest.Eventually(t, func() bool {
		n, err := futex.Wake(word, all)
		require.NoError(t, err)
		all -= n
		return all == 0
	}, "all are woken")
}

func TestNobodySleepsAtAWordWithAnotherValue(t *testing.T) {
	var word atomic.Uint32
	word.Store(2)
	assert.ErrorIs(t, futex.Wait(&word, 1), unix.EAGAIN)
	assert.ErrorIs(t, futex.WaitFor(&word, 1, time.Hour), unix.EAGAIN)
	assert.ErrorIs(t, futex.WaitBy(&word, 1, time.Now().Add(time.Hour)), unix.EAGAIN)
	assert.ErrorIs(t, futex.WaitContext(t.Context(), &word, 1), unix.EAGAIN)
	var call *os.SyscallError
	require.ErrorAs(t, futex.Wait(&word, 1), &call)
	assert.Equal(t, "futex", call.Syscall)
}

func TestWakeWakesAsManyAsItIsTold(t *testing.T) {
	var word atomic.Uint32
	n, err := futex.Wake(&word, 100)
	require.NoError(t, err)
	assert.Zero(t, n, "nobody sleeps")
	woken := make(chan error)
	for range 3 {
		go func() { woken <- futex.Wait(&word, 0) }()
	}
	for range 3 {
		wake(t, &word, 1)
		require.NoError(t, <-woken)
	}
	n, err = futex.Wake(&word, 100)
	require.NoError(t, err)
	assert.Zero(t, n)
}

func TestWaitForEndsWhenItsTimeIsOver(t *testing.T) {
	var word atomic.Uint32
	start := time.Now()
	require.ErrorIs(t, futex.WaitFor(&word, 0, 20*time.Millisecond), unix.ETIMEDOUT)
	assert.GreaterOrEqual(t, time.Since(start), 20*time.Millisecond)
	for _, d := range []time.Duration{0, -time.Hour} {
		assert.ErrorIs(t, futex.WaitFor(&word, 0, d), unix.ETIMEDOUT)
	}
	woken := make(chan error)
	go func() { woken <- futex.WaitFor(&word, 0, 1<<63-1) }()
	wake(t, &word, 1)
	assert.NoError(t, <-woken)
}

func TestWaitByEndsAtItsTime(t *testing.T) {
	var word atomic.Uint32
	deadline := time.Now().Add(20 * time.Millisecond)
	require.ErrorIs(t, futex.WaitBy(&word, 0, deadline), unix.ETIMEDOUT)
	assert.False(t, time.Now().Before(deadline))
	for _, past := range []time.Time{time.Now(), time.Unix(1, 0), time.Unix(-1, 1), {}} {
		assert.ErrorIs(t, futex.WaitBy(&word, 0, past), unix.ETIMEDOUT)
	}
	woken := make(chan error)
	go func() { woken <- futex.WaitBy(&word, 0, time.Now().Add(time.Hour)) }()
	wake(t, &word, 1)
	assert.NoError(t, <-woken)
}

func TestTheEndOfAContextEndsTheSleep(t *testing.T) {
	var word atomic.Uint32
	reason := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	woken := make(chan error)
	go func() { woken <- futex.WaitContext(ctx, &word, 0) }()
	cancel(reason)
	assert.ErrorIs(t, <-woken, reason)
	assert.ErrorIs(t, futex.WaitContext(ctx, &word, 0), reason)

	ctx, cancel = context.WithCancelCause(t.Context())
	defer cancel(nil)
	go func() { woken <- futex.WaitContext(ctx, &word, 0) }()
	wake(t, &word, 1)
	assert.NoError(t, <-woken)
}

// sleeper sleeps in another process at the word of a shared memory object.
var _ = ipctest.Role("sleeper", func(args []string) int {
	word, err := open(args[0])
	if err != nil {
		return 3
	}
	if err := futex.Wait(word, 7); err != nil {
		return 4
	}
	return 0
})

func open(name string) (*atomic.Uint32, error) {
	o, err := posixshm.Open(name, unix.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer o.Close()
	memory, err := o.Map(4096, true)
	if err != nil {
		return nil, err
	}
	return (*atomic.Uint32)(unsafe.Pointer(unsafe.SliceData(memory))), nil
}

func TestAProcessWakesAnother(t *testing.T) {
	o, err := posixshm.Open("/"+ipctest.Name(t), unix.O_RDWR|unix.O_CREAT|unix.O_EXCL, 0o600)
	require.NoError(t, err)
	defer o.Close()
	defer posixshm.Unlink(o.Name())
	require.NoError(t, o.Allocate(4096))
	memory, err := o.Map(4096, true)
	require.NoError(t, err)
	defer posixshm.Unmap(memory)
	word := (*atomic.Uint32)(unsafe.Pointer(unsafe.SliceData(memory)))
	word.Store(7)
	cmd := ipctest.Command(t, "sleeper", o.Name())
	require.NoError(t, cmd.Start())
	wake(t, word, 1)
	require.NoError(t, cmd.Wait())
}

// Sleepers and wakers in a hurry: a lost wake-up would be a hang.
func TestNoWakeUpIsLost(t *testing.T) {
	var turn atomic.Uint32
	const rounds = 2_000
	done := make(chan error)
	play := func(mine uint32) {
		for n := mine; n < rounds; n += 2 {
			for v := turn.Load(); v != n; v = turn.Load() {
				if err := futex.Wait(&turn, v); err != nil && !errors.Is(err, unix.EAGAIN) {
					done <- err
					return
				}
			}
			turn.Add(1)
			if _, err := futex.Wake(&turn, 1); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}
	go play(0)
	go play(1)
	for range 2 {
		require.NoError(t, <-done)
	}
}
