package blocking_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/blocking"
	"unpipc/gobind/internal/errs"
	"unpipc/gobind/ipctest"
)

// interruptSignal is SIGRTMAX - 1.
const interruptSignal = syscall.Signal(63)

// cancelRead cancels a read of an empty pipe, soon after or before it sleeps.
func cancelRead(r int) error {
	ctx, cancel := context.WithCancel(context.Background())
	go cancel()
	return blocking.Do(ctx, func() syscall.Errno {
		_, err := unix.Read(r, make([]byte, 1))
		return errs.Errno(err)
	})
}

func TestNoByteIsLostOrDoubledByCancelledReads(t *testing.T) {
	r, w := newPipe(t)
	var written, read, cancelled uint64
	next := make([]byte, 8)
	readOne := func(ctx context.Context) error {
		n := 0
		err := blocking.Do(ctx, func() syscall.Errno {
			var e error
			n, e = unix.Read(r, next)
			return errs.Errno(e)
		})
		if err == nil {
			require.Equal(t, 8, n)
			require.Equal(t, read, binary.NativeEndian.Uint64(next))
			read++
		}
		return err
	}
	for cancelled < 1000 {
		ctx, cancel := context.WithCancel(context.Background())
		var racing sync.WaitGroup
		if rand.N(2) == 0 {
			number := binary.NativeEndian.AppendUint64(nil, written)
			written++
			racing.Go(func() {
				for range rand.N(50) {
					runtime.Gosched()
				}
				_, err := unix.Write(w, number)
				assert.NoError(t, err)
			})
		}
		racing.Go(func() {
			for range rand.N(50) {
				runtime.Gosched()
			}
			cancel()
		})
		if err := readOne(ctx); err != nil {
			require.Equal(t, context.Canceled, err)
			cancelled++
		}
		racing.Wait()
	}
	for read < written {
		require.NoError(t, readOne(context.Background()))
	}
	left, err := unix.IoctlGetInt(r, unix.TIOCINQ)
	require.NoError(t, err)
	assert.Zero(t, left)
	assert.Positive(t, read)
}

func TestWhatTheThreadDoesNextIsNotInterrupted(t *testing.T) {
	r, w := newPipe(t)
	next, writeNext := newPipe(t)
	// Do's own pinning is on top of this one: the second read is on the same thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	one := make([]byte, 1)
	for range 2000 {
		ctx, cancel := context.WithCancel(context.Background())
		var racing sync.WaitGroup
		racing.Go(func() { unix.Write(w, []byte{1}) })
		racing.Go(cancel)
		_ = blocking.Do(ctx, func() syscall.Errno { _, err := unix.Read(r, one); return errs.Errno(err) })
		racing.Go(func() { unix.Write(writeNext, []byte{2}) })
		_, err := unix.Read(next, one)
		require.NoError(t, err)
		racing.Wait()
		if left, _ := unix.IoctlGetInt(r, unix.TIOCINQ); left > 0 {
			unix.Read(r, one)
		}
	}
}

func TestASignalOfSomebodyElsesDoesNotEndTheCall(t *testing.T) {
	r, w := newPipe(t)
	require.ErrorIs(t, cancelRead(r), context.Canceled, "the handler is in place")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	thread := make(chan int, 1)
	calls := 0
	var sending sync.WaitGroup
	sending.Go(func() {
		tid := <-thread
		for range 10 {
			ipctest.Eventually(t, func() bool { return asleep(tid) }, "the call sleeps")
			assert.NoError(t, unix.Tgkill(os.Getpid(), tid, interruptSignal))
		}
		unix.Write(w, []byte{1})
	})
	err := blocking.Do(ctx, func() syscall.Errno {
		if calls++; calls == 1 {
			thread <- unix.Gettid()
		}
		_, err := unix.Read(r, make([]byte, 1))
		return errs.Errno(err)
	})
	sending.Wait()
	assert.NoError(t, err)
	assert.Greater(t, calls, 1)
}

func TestAThreadsMaskIsAsItWas(t *testing.T) {
	r, _ := newPipe(t)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var ours, old, now unix.Sigset_t
	ours.Val[0] = 1 << (interruptSignal - 1)
	for _, how := range []int{unix.SIG_BLOCK, unix.SIG_UNBLOCK} {
		require.NoError(t, unix.PthreadSigmask(how, &ours, nil))
		require.NoError(t, unix.PthreadSigmask(unix.SIG_BLOCK, nil, &old))
		require.ErrorIs(t, cancelRead(r), context.Canceled, "a blocked signal is let through")
		require.NoError(t, unix.PthreadSigmask(unix.SIG_BLOCK, nil, &now))
		assert.Equal(t, old, now)
	}
}

func TestOneThousandCancellationsLeaveNoThreads(t *testing.T) {
	r, _ := newPipe(t)
	threads := func() int {
		tasks, err := os.ReadDir("/proc/self/task")
		require.NoError(t, err)
		return len(tasks)
	}
	for range 50 {
		require.ErrorIs(t, cancelRead(r), context.Canceled)
	}
	before := threads()
	for range 1000 {
		require.ErrorIs(t, cancelRead(r), context.Canceled)
	}
	assert.LessOrEqual(t, threads(), before+runtime.GOMAXPROCS(0)+4)
}

func TestManySleepersEndTogether(t *testing.T) {
	r, _ := newPipe(t)
	ctx, cancel := context.WithCancel(context.Background())
	var sleeping sync.WaitGroup
	for range 200 {
		sleeping.Go(func() {
			err := blocking.Do(ctx, func() syscall.Errno { _, err := unix.Read(r, make([]byte, 1)); return errs.Errno(err) })
			assert.Equal(t, context.Canceled, err)
		})
	}
	cancel()
	sleeping.Wait()
}

// Roles: signals are the whole process's, and the tests' own should stay.

func cancelReads() int {
	var fds [2]int
	if unix.Pipe2(fds[:], unix.O_CLOEXEC) != nil {
		return 10
	}
	for range 100 {
		if err := cancelRead(fds[0]); !errors.Is(err, context.Canceled) {
			fmt.Fprintln(os.Stderr, err)
			return 11
		}
	}
	return 0
}

var (
	_ = ipctest.Role("notified of all signals", func([]string) int {
		signal.Notify(make(chan os.Signal, 1))
		return cancelReads()
	})
	_ = ipctest.Role("ignoring the signal", func([]string) int {
		signal.Ignore(interruptSignal)
		return cancelReads()
	})
	_ = ipctest.Role("notified in between", func([]string) int {
		for range 5 {
			if cancelReads() != 0 {
				return 12
			}
			c := make(chan os.Signal, 1)
			signal.Notify(c)
			signal.Stop(c)
		}
		return cancelReads()
	})
	_ = ipctest.Role("cancel reads", func([]string) int { return cancelReads() })
	_ = ipctest.Role("exec'ed with the signal blocked and ignored", func([]string) int {
		runtime.LockOSThread()
		var ours unix.Sigset_t
		ours.Val[0] = 1 << (interruptSignal - 1)
		signal.Ignore(interruptSignal)
		if unix.PthreadSigmask(unix.SIG_BLOCK, &ours, nil) != nil {
			return 13
		}
		argv := ipctest.RoleArgs("cancel reads")
		fmt.Fprintln(os.Stderr, syscall.Exec(argv[0], argv, os.Environ()))
		return 14
	})
)

func TestCallsEndWhateverAProcessDoesWithSignals(t *testing.T) {
	for _, role := range []string{
		"cancel reads",
		"notified of all signals",
		"notified in between",
		"ignoring the signal",
		"exec'ed with the signal blocked and ignored",
	} {
		t.Run(role, func(t *testing.T) {
			out, err := ipctest.Command(t, role).CombinedOutput()
			assert.NoError(t, err, string(out))
		})
	}
}
