package pthread_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/posixshm"
	"unpipc/gobind/pthread"
	"unpipc/gobind/pthread/internal/counter"
)

// Where things are in the memory that the tests share with their peers.
const (
	mutexAt   = 0
	condAt    = 64
	rwlockAt  = 128
	barrierAt = 192
	spinAt    = 256
	wordAt    = 512
)

func TestAMutexBetweenGoAndC(t *testing.T) {
	for name, attr := range mutexes {
		t.Run(name, func(t *testing.T) {
			attr.Shared = true
			memory, object := shared(t)
			other := inC(t, object)
			for _, maker := range []string{"Go", "C"} {
				var m *pthread.Mutex
				var err error
				if maker == "Go" {
					m, err = pthread.InitMutex(memory, attr)
				} else {
					robust := 0
					if attr.Robust {
						robust = 1
					}
					other.ok("mutex_init %d %d %d %d 0", mutexAt, attr.Kind, robust, attr.Protocol)
					m, err = pthread.MutexAt(memory)
				}
				require.NoError(t, err)
				other.ok("mutex_lock %d", mutexAt)
				require.ErrorIs(t, m.TryLock(), unix.EBUSY)
				require.ErrorIs(t, m.LockFor(time.Millisecond), unix.ETIMEDOUT)
				ctx, cancel := context.WithCancel(t.Context())
				given := background(func() error { return m.LockContext(ctx) })
				patient := background(then(m.Lock, m.Unlock))
				asleepAt(t, memory[:pthread.MutexSize], 2)
				cancel()
				require.ErrorIs(t, <-given, context.Canceled)
				other.ok("mutex_unlock %d", mutexAt)
				require.NoError(t, <-patient)

				require.NoError(t, m.Lock())
				other.gives(unix.EBUSY, "mutex_trylock %d", mutexAt)
				other.gives(unix.ETIMEDOUT, "mutex_timedlock %d 1", mutexAt)
				answer := other.begin("mutex_lock %d", mutexAt)
				other.asleep()
				require.NoError(t, m.Unlock())
				require.Zero(t, answer())
				other.ok("mutex_unlock %d", mutexAt)

				// Both at once, in every form.
				count := word(memory, wordAt)
				*count = 0
				answer = other.begin("mutex_count %d %d 3000", mutexAt, wordAt)
				for i := range 1500 {
					switch i % 3 {
					case 0:
						require.NoError(t, m.Lock())
						*count++
						require.NoError(t, m.Unlock())
					case 1:
						_, err := m.Add(count, 1)
						require.NoError(t, err)
					case 2:
						require.NoError(t, m.Call(counter.Up, unsafe.Pointer(count)))
					}
				}
				require.Zero(t, answer())
				require.Equal(t, int64(4500), *count)
				require.NoError(t, m.Destroy())
			}
		})
	}
}

func TestAMutexWhoseOwnerIsKilled(t *testing.T) {
	for name, attr := range robusts {
		t.Run(name, func(t *testing.T) {
			attr.Shared = true
			memory, object := shared(t)
			m, err := pthread.InitMutex(memory, attr)
			require.NoError(t, err)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()

			// A C program dies; Go inherits, asleep.
			owner := inC(t, object)
			owner.ok("mutex_lock %d", mutexAt)
			for _, lock := range []func() error{m.Lock, func() error { return m.LockContext(ctx) }} {
				heir := background(func() error {
					err := lock()
					assert.NoError(t, m.Consistent())
					assert.NoError(t, m.Unlock())
					return err
				})
				asleepAt(t, memory[:pthread.MutexSize], 1)
				owner.Kill()
				require.ErrorIs(t, <-heir, unix.EOWNERDEAD)
				owner = inC(t, object)
				owner.ok("mutex_lock %d", mutexAt)
			}
			owner.Kill()
			require.ErrorIs(t, m.Lock(), unix.EOWNERDEAD, "nobody slept")
			require.NoError(t, m.Consistent())
			require.NoError(t, m.Unlock())

			// A Go program dies, with one goroutine of many the owner; C inherits.
			heir := inC(t, object)
			owner = inGo(t, object)
			owner.ok("lock")
			answer := heir.begin("mutex_lock %d", mutexAt)
			heir.asleep()
			owner.Kill()
			require.Equal(t, int(unix.EOWNERDEAD), answer())
			require.ErrorIs(t, <-background(m.TryLock), unix.EBUSY)
			heir.ok("mutex_consistent %d", mutexAt)
			heir.ok("mutex_unlock %d", mutexAt)
			require.NoError(t, m.LockFor(time.Minute))
			require.NoError(t, m.Unlock())

			// A goroutine of a Go program that lives on.
			owner = inGo(t, object)
			owner.ok("lock and end")
			answer = heir.begin("mutex_lock %d", mutexAt)
			require.Equal(t, int(unix.EOWNERDEAD), answer())
			heir.ok("mutex_unlock %d", mutexAt) // without repair
			require.ErrorIs(t, m.Lock(), unix.ENOTRECOVERABLE)
			heir.gives(unix.ENOTRECOVERABLE, "mutex_lock %d", mutexAt)
			owner.gives(unix.ENOTRECOVERABLE, "lock")
		})
	}
}

// inGo starts a Go program on the memory of this name.
func inGo(t *testing.T, object string) *process {
	t.Helper()
	return start(t, ipctest.Command(t, "owner", object))
}

var _ = ipctest.Role("owner", func(args []string) int {
	m, err := pthread.MutexAt(attached(args[0]))
	if err != nil {
		panic(err)
	}
	calls := bufio.NewScanner(os.Stdin)
	answers := make(chan error)
	for calls.Scan() {
		call := calls.Text()
		go func() {
			err := m.Lock()
			answers <- err
			if call == "lock" && err == nil {
				select {} // with the mutex
			}
		}()
		switch err := <-answers; err {
		case nil:
			fmt.Println(0)
		default:
			fmt.Println(strconv.Itoa(int(ipctest.Errno(err))))
		}
	}
	return 0
})

func TestCopiesUnderTheMutex(t *testing.T) {
	memory, object := shared(t)
	again := attached(object)
	m, err := pthread.InitMutex(memory, pthread.MutexAttr{Shared: true, Robust: true})
	require.NoError(t, err)
	text := strings.Repeat("mutex ", 20)
	require.NoError(t, m.Copy(memory[wordAt:], []byte(text)))
	got := make([]byte, len(text))
	require.NoError(t, m.Copy(got, again[wordAt:]))
	assert.Equal(t, text, string(got))
	require.NoError(t, posixshm.Unmap(again))
	require.NoError(t, m.Copy(nil, got))
	require.NoError(t, m.Store(word(memory, wordAt), -7))
	value, err := m.Load(word(memory, wordAt))
	require.NoError(t, err)
	assert.Equal(t, int64(-7), value)
	sum, err := m.Add(word(memory, wordAt), 10)
	require.NoError(t, err)
	assert.Equal(t, int64(3), sum)
}
