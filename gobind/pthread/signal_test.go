package pthread_test

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/pthread"
)

var _ = ipctest.Role("how it", func(args []string) int {
	own := map[string]func() bool{"signals": pthread.Counted, "waits": pthread.WaitsDirect}[args[0]]()
	fmt.Print(map[bool]string{true: "its own way", false: "libc"}[own])
	return 0
})

func TestEverySignalAndWaitIsLibcsOnDemandOrWhereItsConditionsAreOthers(t *testing.T) {
	preloaded := func(source string) string {
		return "LD_PRELOAD=" + ipctest.CProgram(t, source, "-shared", "-fPIC", "-fno-sanitize=all")
	}
	for _, of := range []struct{ what, under, want string }{
		{"signals", "UNPIPC_PTHREAD=", "its own way"}, // as this package knows glibc's
		{"signals", "UNPIPC_PTHREAD=libc", "libc"},
		{"signals", preloaded("testdata/uncounted.c"), "libc"},
		{"waits", "UNPIPC_PTHREAD=", "its own way"},
		{"waits", "UNPIPC_PTHREAD=libc", "libc"},
		{"waits", preloaded("testdata/nosignal.c"), "libc"},
	} {
		cmd := ipctest.Command(t, "how it", of.what)
		// Of this test with -asan, whose library would be first.
		cmd.Env = append(os.Environ(), of.under, "ASAN_OPTIONS=verify_asan_link_order=0")
		out, err := cmd.Output()
		assert.NoError(t, err, of)
		assert.Equal(t, of.want, string(out), of)
	}
}

var conds = map[string]pthread.CondAttr{
	"within the process": {}, "with the monotonic clock": {Clock: pthread.Monotonic},
	"between processes": {Shared: true}, "of all kinds": {Shared: true, Clock: pthread.Monotonic},
}

func TestASignalWithoutWaitersIsNoCallOfLibc(t *testing.T) {
	var none int64
	if !pthread.Counted() { // another test says when
		none = 2
	}
	for name, attr := range conds {
		v, m := newCond(t, attr), newMutex(t, pthread.MutexAttr{})
		// A thread that ends just now takes its calls out of the count for a moment.
		calls := func(v *pthread.Cond, want int64) {
			ipctest.Eventually(t, func() bool {
				before := runtime.NumCgoCall()
				require.NoError(t, v.Signal())
				require.NoError(t, v.Broadcast())
				return runtime.NumCgoCall()-before == want
			}, name)
		}
		calls(v, none)
		calls(v.Libc(), 2)
		require.NoError(t, m.Lock())
		require.ErrorIs(t, v.WaitFor(m, 0), unix.ETIMEDOUT)
		require.NoError(t, m.Unlock())
		calls(v, none)
	}
}

func TestAWaiterOfEitherWayIsWokenByTheOther(t *testing.T) {
	for name, attr := range conds {
		t.Run(name, func(t *testing.T) {
			m := newMutex(t, pthread.MutexAttr{})
			v, memory := condIn(t, attr)
			for _, way := range [][2]*pthread.Cond{{v, v}, {v, v.Libc()}, {v.Libc(), v}} {
				waits, wakes := way[0], way[1]
				for _, wake := range []func() error{wakes.Signal, wakes.Broadcast} {
					waiter := waiting(t, m, func() error { return waits.Wait(m) })
					asleepAt(t, memory, 1)
					require.NoError(t, wake())
					require.NoError(t, <-waiter)
				}
			}
		})
	}
}

func TestASignalAndAWaitInOneCall(t *testing.T) {
	for name, attr := range mutexes {
		t.Run(name, func(t *testing.T) {
			m := newMutex(t, attr)
			first, atFirst := condIn(t, pthread.CondAttr{})
			second, atSecond := condIn(t, pthread.CondAttr{})
			one := waiting(t, m, func() error { return first.Wait(m) })
			asleepAt(t, atFirst, 1)
			other := waiting(t, m, func() error { return second.SignalAndWait(first, m) })
			require.NoError(t, <-one)
			asleepAt(t, atSecond, 1)
			require.NoError(t, second.Signal())
			require.NoError(t, <-other)
		})
	}
}

func TestWhoHasNotTheMutexMayNotWaitAfterASignal(t *testing.T) {
	m, v := newMutex(t, pthread.MutexAttr{Kind: pthread.ErrorCheck}), newCond(t, pthread.CondAttr{})
	ipctest.IsSyscallError(t, v.SignalAndWait(v, m), "pthread_cond_wait", unix.EPERM)
}

// Each waits for its turn, in Go by either way and in C, and wakes the others with the mutex
// or after it. If one is not seen that waits already, all sleep for ever.
func TestNobodyWhoWaitsIsOverlooked(t *testing.T) {
	memory, object := shared(t)
	m, err := pthread.InitMutex(memory[mutexAt:], pthread.MutexAttr{Shared: true})
	require.NoError(t, err)
	v, err := pthread.InitCond(memory[condAt:], pthread.CondAttr{Shared: true})
	require.NoError(t, err)
	turn := word(memory, wordAt)
	const times = 4000
	pass := func(v *pthread.Cond, mine, parties int64) error {
		wake := v.Broadcast
		if parties == 2 {
			wake = v.Signal
		}
		for n := range times {
			err := m.Lock()
			for err == nil && *turn%parties != mine {
				err = v.WaitFor(m, time.Minute)
			}
			*turn++
			first, second := wake, m.Unlock
			if n%2 == 0 {
				first, second = second, first
			}
			if err = errors.Join(err, first(), second()); err != nil {
				return err
			}
		}
		return nil
	}
	for name, goes := range map[string][]*pthread.Cond{"C and Go": {v}, "C and libc": {v.Libc()}, "all": {v, v.Libc()}} {
		*turn = 0
		parties := int64(len(goes) + 1)
		answer := inC(t, object).begin("cond_pass %d %d %d 0 %d %d", condAt, mutexAt, wordAt, parties, times)
		var ends []<-chan error
		for i, v := range goes {
			ends = append(ends, background(func() error { return pass(v, int64(i+1), parties) }))
		}
		for _, end := range ends {
			require.NoError(t, <-end, name)
		}
		require.Zero(t, answer(), name)
		require.Equal(t, times*parties, *turn, name)
	}
}
