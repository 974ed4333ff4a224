package blocking_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/blocking"
	"unpipc/gobind/internal/errs"
	"unpipc/gobind/ipctest"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

func newPipe(t testing.TB) (r, w int) {
	t.Helper()
	var fds [2]int
	require.NoError(t, unix.Pipe2(fds[:], unix.O_CLOEXEC))
	t.Cleanup(func() { unix.Close(fds[0]); unix.Close(fds[1]) })
	return fds[0], fds[1]
}

// asleep says whether the thread is in a system call that waits.
func asleep(tid int) bool {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/stat", tid))
	_, state, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(state, "S")
}

// raw is a system call without a function of its own in package unix.
func raw(trap uintptr, args ...uintptr) syscall.Errno {
	var a [6]uintptr
	copy(a[:], args)
	_, _, errno := unix.Syscall6(trap, a[0], a[1], a[2], a[3], a[4], a[5])
	return errno
}

func get(t *testing.T, trap uintptr, args ...uintptr) uintptr {
	t.Helper()
	var a [3]uintptr
	copy(a[:], args)
	id, _, errno := unix.Syscall(trap, a[0], a[1], a[2])
	require.Zero(t, errno)
	return id
}

func TestEveryKindOfSleepEndsWithTheContext(t *testing.T) {
	for name, prepare := range map[string]func(t *testing.T) func() syscall.Errno{
		"read of an empty pipe": func(t *testing.T) func() syscall.Errno {
			r, _ := newPipe(t)
			return func() syscall.Errno { _, err := unix.Read(r, make([]byte, 1)); return errs.Errno(err) }
		},
		"write to a full pipe": func(t *testing.T) func() syscall.Errno {
			_, w := newPipe(t)
			size, err := unix.FcntlInt(uintptr(w), unix.F_GETPIPE_SZ, 0)
			require.NoError(t, err)
			_, err = unix.Write(w, make([]byte, size))
			require.NoError(t, err)
			return func() syscall.Errno { _, err := unix.Write(w, make([]byte, 1)); return errs.Errno(err) }
		},
		"open of a FIFO nobody else has open": func(t *testing.T) func() syscall.Errno {
			path := filepath.Join(t.TempDir(), "fifo")
			require.NoError(t, unix.Mkfifo(path, 0o600))
			return func() syscall.Errno { _, err := unix.Open(path, unix.O_WRONLY, 0); return errs.Errno(err) }
		},
		"wait for a child": func(t *testing.T) func() syscall.Errno {
			child := ipctest.Command(t, "sleeper")
			stdin, err := child.StdinPipe()
			require.NoError(t, err)
			require.NoError(t, child.Start())
			t.Cleanup(func() { stdin.Close(); child.Wait() })
			return func() syscall.Errno {
				_, err := unix.Wait4(child.Process.Pid, nil, 0, nil)
				return errs.Errno(err)
			}
		},
		"flock of a locked file": func(t *testing.T) func() syscall.Errno {
			dir := t.TempDir()
			open := func() int {
				fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_CLOEXEC, 0)
				require.NoError(t, err)
				t.Cleanup(func() { unix.Close(fd) })
				return fd
			}
			require.NoError(t, unix.Flock(open(), unix.LOCK_EX))
			other := open()
			return func() syscall.Errno { return errs.Errno(unix.Flock(other, unix.LOCK_EX)) }
		},
		"accept without a client": func(t *testing.T) func() syscall.Errno {
			fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
			require.NoError(t, err)
			t.Cleanup(func() { unix.Close(fd) })
			require.NoError(t, unix.Bind(fd, &unix.SockaddrUnix{Name: "@" + ipctest.Name(t)}))
			require.NoError(t, unix.Listen(fd, 1))
			return func() syscall.Errno { _, _, err := unix.Accept4(fd, 0); return errs.Errno(err) }
		},
		"msgrcv of an empty queue": func(t *testing.T) func() syscall.Errno {
			id := get(t, unix.SYS_MSGGET, unix.IPC_PRIVATE, 0o600)
			t.Cleanup(func() { raw(unix.SYS_MSGCTL, id, unix.IPC_RMID) })
			var message [16]byte
			return func() syscall.Errno {
				return raw(unix.SYS_MSGRCV, id, uintptr(unsafe.Pointer(&message)), 8, 0, 0)
			}
		},
		"semop on a semaphore at 0": func(t *testing.T) func() syscall.Errno {
			id := get(t, unix.SYS_SEMGET, unix.IPC_PRIVATE, 1, 0o600)
			t.Cleanup(func() { raw(unix.SYS_SEMCTL, id, 0, unix.IPC_RMID) })
			down := struct{ num, op, flags int16 }{op: -1}
			return func() syscall.Errno { return raw(unix.SYS_SEMOP, id, uintptr(unsafe.Pointer(&down)), 1) }
		},
		"futex that nobody wakes": func(*testing.T) func() syscall.Errno {
			word := new(uint32)
			return func() syscall.Errno { return raw(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), 0, 0, 0) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			call := prepare(t)
			why := errors.New("no more patience")
			for range 20 {
				ctx, cancel := context.WithCancelCause(context.Background())
				thread := make(chan int, 1)
				go func() {
					tid := <-thread
					ipctest.Eventually(t, func() bool { return asleep(tid) }, "the call sleeps")
					cancel(why)
				}()
				err := blocking.Do(ctx, func() syscall.Errno {
					select {
					case thread <- unix.Gettid():
					default:
					}
					return call()
				})
				require.Equal(t, why, err)
			}
		})
	}
}

// A child that stays until its standard input ends.
var _ = ipctest.Role("sleeper", func([]string) int {
	unix.Read(0, make([]byte, 1))
	return 0
})

func TestAnEndedContextKeepsTheCallFromBeingMade(t *testing.T) {
	never := func() syscall.Errno { t.Error("called"); return 0 }
	past, cancel := context.WithDeadline(context.Background(), time.Unix(0, 0))
	defer cancel()
	assert.Equal(t, context.DeadlineExceeded, blocking.Do(past, never))

	why := errors.New("changed my mind")
	ended, end := context.WithCancelCause(context.Background())
	end(why)
	assert.Equal(t, why, blocking.Do(ended, never))
}

func TestADeadlineEndsTheCall(t *testing.T) {
	r, _ := newPipe(t)
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	err := blocking.Do(ctx, func() syscall.Errno { _, err := unix.Read(r, make([]byte, 1)); return errs.Errno(err) })
	assert.Equal(t, context.DeadlineExceeded, err)
}

func TestTheResultOfTheCallComesBack(t *testing.T) {
	background := context.Background()
	cancellable, cancel := context.WithCancel(background)
	defer cancel()
	for _, ctx := range []context.Context{background, cancellable} {
		assert.NoError(t, blocking.Do(ctx, func() syscall.Errno { return 0 }))
		assert.Equal(t, unix.EBADF, blocking.Do(ctx, func() syscall.Errno { return unix.EBADF }))
		interruptions := 0
		assert.Equal(t, unix.EPIPE, blocking.Do(ctx, func() syscall.Errno {
			if interruptions++; interruptions <= 3 {
				return unix.EINTR
			}
			return unix.EPIPE
		}), "a signal of somebody else's does not end it")
		assert.Equal(t, 4, interruptions)
	}
	for _, errno := range []syscall.Errno{0, unix.EBADF} {
		ctx, cancel := context.WithCancel(background)
		err := blocking.Do(ctx, func() syscall.Errno { cancel(); return errno })
		if errno == 0 {
			assert.NoError(t, err, "what was done by then stays done")
		} else {
			assert.Equal(t, errno, err)
		}
	}
}
