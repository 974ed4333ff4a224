package pthread_test

import (
	"errors"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/pthread"
)

// What depends on a clock, and on who runs in between, is told in C.
func TestHowLongAWaiterLetsOthersRunAndWhoseSignalHeTakes(t *testing.T) {
	const shims = "../../csrc/pthread/"
	program := ipctest.CProgram(t, "testdata/yields.c", "-I"+shims, "-I../../capi",
		shims+"init.c", shims+"waits_layout.c", shims+"waiter_2_25.c", shims+"waiter_2_41.c")
	out, err := exec.CommandContext(t.Context(), "timeout", "60", program).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

func TestAWaitLeavesNoMarkInTheMutexAsIfSomebodySleptForIt(t *testing.T) {
	for name, attr := range map[string]pthread.MutexAttr{
		"normal": {}, "shared": {Shared: true}, "robust": {Robust: true}, "robust and shared": {Robust: true, Shared: true},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMutex(t, attr)
			v, memory := condIn(t, pthread.CondAttr{Shared: attr.Shared})
			after := func(v *pthread.Cond) (unwanted bool) {
				ended := waiting(t, m, func() error {
					err := v.Wait(m)
					unwanted = m.Unwanted()
					return err
				})
				asleepAt(t, memory, 1)
				require.NoError(t, v.Signal())
				require.NoError(t, <-ended)
				return unwanted
			}
			require.True(t, after(v))
			require.False(t, after(v.Libc()), "libc's does, for which the next unlock is a system call")
		})
	}
}

// Eight put into and take from a few slots, and wait by all ways at one condition for either, so
// that its groups fill and close all the time. If a signal is lost, all sleep for ever.
func TestManyWhoWaitByAllWaysMissNothing(t *testing.T) {
	for name, attr := range map[string]pthread.MutexAttr{"normal": {}, "robust and shared": {Robust: true, Shared: true}} {
		t.Run(name, func(t *testing.T) {
			m := newMutex(t, attr)
			notFull, notEmpty := newCond(t, pthread.CondAttr{Shared: attr.Shared}), newCond(t, pthread.CondAttr{Shared: attr.Shared})
			const items, slots = 20000, 3
			var filled, put, taken int
			member := func(way func(*pthread.Cond) func() error, wait, wake *pthread.Cond, ready func() bool, count *int, by int) <-chan error {
				sleep := way(wait)
				return background(func() error {
					err := m.Lock()
					for err == nil && *count < items {
						if !ready() {
							err = sleep()
							continue
						}
						*count++
						filled += by
						if *count == items {
							err = wait.Broadcast()
						}
						err = errors.Join(err, wake.Signal(), m.Relock())
					}
					return errors.Join(err, m.Unlock())
				})
			}
			ways := []func(v *pthread.Cond) func() error{
				func(v *pthread.Cond) func() error { return func() error { return v.Wait(m) } },
				func(v *pthread.Cond) func() error { return func() error { return v.Libc().Wait(m) } },
				func(v *pthread.Cond) func() error {
					adaptive := v.Handle()
					adaptive.SetAdaptive(3)
					return func() error { return adaptive.Wait(m) }
				},
				func(v *pthread.Cond) func() error {
					return func() error {
						if err := v.WaitFor(m, 20*time.Microsecond); !errors.Is(err, unix.ETIMEDOUT) {
							return err
						}
						return nil
					}
				},
			}
			var ends []<-chan error
			for _, way := range ways {
				ends = append(ends,
					member(way, notFull, notEmpty, func() bool { return filled < slots }, &put, 1),
					member(way, notEmpty, notFull, func() bool { return filled > 0 }, &taken, -1))
			}
			late := time.After(time.Minute)
			for _, end := range ends {
				select {
				case err := <-end:
					require.NoError(t, err)
				case <-late:
					t.Fatalf("%d items were put, %d taken, and all sleep", put, taken)
				}
			}
			require.Equal(t, items, taken)
		})
	}
}
