package blocking_test

import (
	"context"
	"errors"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/blocking"
	"unpipc/gobind/ipctest"
)

// futexWait sleeps at a word as libc's locks do: until a time of the real-time clock,
// and again with the same time after each interruption.
func futexWait(word *uint32, deadline *unix.Timespec) syscall.Errno {
	const waitBitset, realtime, any = 9, 256, 1<<32 - 1
	for {
		errno := raw(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), waitBitset|realtime, 0,
			uintptr(unsafe.Pointer(deadline)), 0, any)
		if errno != unix.EINTR {
			return errno
		}
	}
}

func TestATimedCallThatGoesOnAfterASignalEndsWithTheContext(t *testing.T) {
	word := new(uint32)
	why := errors.New("no more patience")
	for i := range 100 {
		ctx, cancel := context.WithCancelCause(context.Background())
		thread := make(chan int, 1)
		go func() {
			tid := <-thread
			if i%2 == 0 {
				ipctest.Eventually(t, func() bool { return asleep(tid) }, "the call sleeps")
			}
			cancel(why)
		}()
		calls := 0
		err := blocking.DoTimed(ctx, func(deadline *unix.Timespec) syscall.Errno {
			if calls++; calls == 1 {
				thread <- unix.Gettid()
			}
			return futexWait(word, deadline)
		})
		require.Equal(t, why, err)
		require.Equal(t, 1, calls, "it ended by itself")
	}
}

func TestTheResultOfATimedCallComesBack(t *testing.T) {
	cancellable, cancel := context.WithCancel(context.Background())
	defer cancel()
	for _, ctx := range []context.Context{context.Background(), cancellable} {
		for _, errno := range []syscall.Errno{unix.EOWNERDEAD, unix.EDEADLK, unix.EINTR} {
			assert.Equal(t, errno, blocking.DoTimed(ctx, func(*unix.Timespec) syscall.Errno { return errno }))
		}
		assert.NoError(t, blocking.DoTimed(ctx, func(deadline *unix.Timespec) syscall.Errno {
			assert.Greater(t, deadline.Sec, int64(1)<<39, "it is far away")
			return 0
		}))
	}
	ended, end := context.WithCancel(context.Background())
	assert.NoError(t, blocking.DoTimed(ended, func(*unix.Timespec) syscall.Errno { end(); return 0 }), "what was done by then stays done")
	assert.Equal(t, context.Canceled, blocking.DoTimed(ended, func(*unix.Timespec) syscall.Errno { t.Error("called"); return 0 }))
}
