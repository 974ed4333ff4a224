package sysvsem_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/sysv/sysvtest"
	"unpipc/gobind/ipctest"
	"unpipc/gobind/sysvsem"
)

// sleeps are all ways to sleep, with the system call that shows it.
func sleeps(ctx context.Context, s *sysvsem.Set) map[string]struct {
	call uintptr
	do   func(ops ...sysvsem.Op) error
} {
	return map[string]struct {
		call uintptr
		do   func(ops ...sysvsem.Op) error
	}{
		"Do":        {unix.SYS_SEMOP, s.Do},
		"DoContext": {unix.SYS_SEMOP, func(ops ...sysvsem.Op) error { return s.DoContext(ctx, ops...) }},
		"DoFor":     {unix.SYS_SEMTIMEDOP, func(ops ...sysvsem.Op) error { return s.DoFor(math.MaxInt64, ops...) }},
	}
}

func TestErrorsNameTheSetAndTheCall(t *testing.T) {
	key := newKey()
	_, err := sysvsem.Get(key, 1, 0)
	ipctest.IsPathError(t, err, "semget", "System V semaphores "+key.String(), unix.ENOENT)
	assert.ErrorIs(t, err, fs.ErrNotExist)
	s, err := sysvsem.Get(key, 1, sysvsem.Create|sysvsem.Excl|0o600)
	require.NoError(t, err)
	sysvtest.RemoveLater(t, s)
	_, err = sysvsem.Get(key, 1<<40, 0)
	assert.ErrorIs(t, err, unix.EINVAL)
	name := fmt.Sprintf("System V semaphores %s (semid %d)", key, s.ID())
	ipctest.IsPathError(t, s.DoFor(0, op(0, -1)), "semtimedop", name, unix.EAGAIN)
	ipctest.IsPathError(t, s.SetValues(1, 2), "semctl", name, unix.EINVAL)
	assert.ErrorIs(t, s.SetValue(1<<40, 0), unix.EINVAL)
	assert.ErrorIs(t, s.SetValue(0, 1<<40), unix.ERANGE)
	assert.ErrorIs(t, s.SetValues(1<<40), unix.ERANGE)
	require.NoError(t, s.Remove())
	ipctest.IsPathError(t, s.Remove(), "semctl", name, unix.EINVAL)
	ipctest.IsPathError(t, s.Do(op(0, 1)), "semop", name, unix.EINVAL)
}

func TestAnIdentifierIsOpenedUnchecked(t *testing.T) {
	s := newSet(t, 5)
	require.NoError(t, sysvsem.Open(s.ID()).Do(op(0, -1)))
	assert.Equal(t, []int{4}, values(t, s))
	for _, id := range []int{-1, 1<<31 - 1, 1<<32 | s.ID(), -1 << 40} {
		assert.ErrorIs(t, sysvsem.Open(id).Do(op(0, -1)), unix.EINVAL)
		assert.ErrorIs(t, sysvsem.Open(id).Remove(), unix.EINVAL)
	}
	assert.Equal(t, []int{4}, values(t, s))
}

func TestASleepEndsWhenItsValueComes(t *testing.T) {
	s := newSet(t, 0, 0)
	for name, way := range sleeps(t.Context(), s) {
		t.Run(name, func(t *testing.T) {
			for _, step := range []struct {
				wait  sysvsem.Op
				given []sysvsem.Op // the last one lets it go on
			}{
				{op(0, -1), []sysvsem.Op{op(0, 1)}},
				{op(0, -3), []sysvsem.Op{op(1, 1), op(0, 2), op(0, 1)}},
				{op(1, 0), []sysvsem.Op{op(1, -1)}},
			} {
				done := make(chan error, 1)
				go func() { done <- way.do(step.wait) }()
				for _, give := range step.given {
					ipctest.Asleep(t, way.call, 1)
					assert.Empty(t, done)
					require.NoError(t, s.Do(give))
				}
				require.NoError(t, <-done)
				require.NoError(t, s.SetValues(0, map[bool]int{true: 1}[step.wait.Add == -3]))
			}
			assert.Equal(t, []int{0, 0}, values(t, s))
		})
	}
}

func TestABlockedSetOfOperationsChangesNothing(t *testing.T) {
	s := newSet(t, 3, 0, 2)
	done := make(chan error, 1)
	go func() { done <- s.Do(op(0, -3), op(1, -1), op(2, 0)) }()
	ipctest.Asleep(t, unix.SYS_SEMOP, 1)
	assert.Equal(t, []int{3, 0, 2}, values(t, s))
	require.NoError(t, s.Do(op(0, -1), op(0, 1)), "others go on")
	require.NoError(t, s.Do(op(1, 1)))
	ipctest.Asleep(t, unix.SYS_SEMOP, 1)
	assert.Equal(t, []int{3, 1, 2}, values(t, s), "it waits for the last one now, and has still taken nothing")
	require.NoError(t, s.Do(op(2, -2)))
	require.NoError(t, <-done)
	assert.Equal(t, []int{0, 0, 0}, values(t, s))
}

func TestMoreOperationsThanAreTriedFirst(t *testing.T) {
	s := newSet(t, 0)
	ops := make([]sysvsem.Op, 20)
	for i := range ops {
		ops[i] = op(0, 1)
	}
	require.NoError(t, s.Do(ops...))
	assert.Equal(t, []int{20}, values(t, s))
	for i := range ops {
		ops[i] = op(0, -2)
	}
	done := make(chan error, 1)
	go func() { done <- s.Do(ops...) }()
	ipctest.Asleep(t, unix.SYS_SEMOP, 1)
	require.NoError(t, s.Do(op(0, 20)))
	require.NoError(t, <-done)
	for i := range ops {
		ops[i].Flags = sysvsem.NoWait
	}
	assert.ErrorIs(t, s.Do(ops...), unix.EAGAIN)
}

func TestTheKernelCountsWhoWaits(t *testing.T) {
	s := newSet(t, 0, 1)
	counts := func(sem int) (more, zero int) {
		more, err := s.WaitingForMore(sem)
		require.NoError(t, err)
		zero, err = s.WaitingForZero(sem)
		require.NoError(t, err)
		return more, zero
	}
	done := make(chan error)
	go func() { done <- s.Do(op(0, -2)) }()
	go func() { done <- s.Do(op(0, -2)) }()
	go func() { done <- s.Do(op(1, 0)) }()
	ipctest.Asleep(t, unix.SYS_SEMOP, 3)
	more, zero := counts(0)
	assert.Equal(t, [2]int{2, 0}, [2]int{more, zero})
	more, zero = counts(1)
	assert.Equal(t, [2]int{0, 1}, [2]int{more, zero})
	require.NoError(t, s.Do(op(0, 4), op(1, -1)))
	for range 3 {
		require.NoError(t, <-done)
	}
}

func TestRemovalEndsEverySleepWithEIDRM(t *testing.T) {
	s := newSet(t, 0)
	done := make(chan error)
	for _, way := range sleeps(t.Context(), s) {
		go func() { done <- way.do(op(0, -1)) }()
	}
	ipctest.Asleep(t, unix.SYS_SEMOP, 2)
	ipctest.Asleep(t, unix.SYS_SEMTIMEDOP, 1)
	require.NoError(t, s.Remove())
	for range 3 {
		assert.ErrorIs(t, <-done, unix.EIDRM)
	}
}

func TestASleepEndsWithItsContextAndTakesNothing(t *testing.T) {
	why := errors.New("no more patience")
	s := newSet(t, 1, 0)
	for range 30 {
		ctx, cancel := context.WithCancelCause(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.DoContext(ctx, op(0, -1), op(1, -1)) }()
		ipctest.Asleep(t, unix.SYS_SEMOP, 1)
		cancel(why)
		require.Equal(t, why, <-done)
		assert.Equal(t, why, s.DoContext(ctx, op(0, -1)), "an ended context keeps the call from being made")
	}
	assert.Equal(t, []int{1, 0}, values(t, s))
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	assert.Equal(t, context.DeadlineExceeded, s.DoContext(ctx, op(1, -1)))
}

// Contexts and times end at random while others give: what was given and not taken is
// there in the end.
func TestNoUnitIsLostByThoseWhoGiveUp(t *testing.T) {
	s := newSet(t, 0)
	const units, takers = 3000, 12
	all, stop := context.WithCancel(t.Context())
	defer stop()
	var mu sync.Mutex
	var running sync.WaitGroup
	taken := 0
	for range takers {
		running.Go(func() {
			for all.Err() == nil {
				patience := time.Duration(rand.N(1000)) * time.Microsecond
				var err error
				if rand.N(2) == 0 {
					err = s.DoFor(patience, op(0, -1))
				} else {
					ctx, cancel := context.WithTimeout(all, patience)
					err = s.DoContext(ctx, op(0, -1))
					cancel()
				}
				if err == nil {
					mu.Lock()
					if taken++; taken == units {
						stop()
					}
					mu.Unlock()
				}
			}
		})
	}
	for range units {
		require.NoError(t, s.Do(op(0, 1)))
	}
	running.Wait()
	assert.Equal(t, units, taken)
	assert.Equal(t, []int{0}, values(t, s))
}

func TestASleepIsNotEndedByASignal(t *testing.T) {
	s := newSet(t, 0)
	for name, way := range sleeps(t.Context(), s) {
		done := make(chan error, 1)
		go func() { done <- way.do(op(0, -1)) }()
		for _, sig := range []syscall.Signal{unix.SIGURG, unix.SIGWINCH, 63} {
			for range 20 {
				_ = unix.Tgkill(os.Getpid(), ipctest.Asleep(t, way.call, 1)[0], sig)
			}
		}
		ipctest.Asleep(t, way.call, 1)
		assert.Empty(t, done, name)
		require.NoError(t, s.Do(op(0, 1)))
		require.NoError(t, <-done)
	}
}

func TestSignalsDoNotPutOffTheEndOfTheTime(t *testing.T) {
	s := newSet(t, 0)
	done := make(chan error, 1)
	go func() { done <- s.DoFor(300*time.Millisecond, op(0, -1)) }()
	for {
		select {
		case err := <-done:
			assert.ErrorIs(t, err, unix.EAGAIN)
			return
		default:
			for _, tid := range ipctest.Sleepers(unix.SYS_SEMTIMEDOP) {
				_ = unix.Tgkill(os.Getpid(), tid, unix.SIGURG)
			}
		}
	}
}

// semop returns EINTR after every signal, and the Go runtime sends itself one whenever
// it wants a thread's attention. A binding that does not make the call again enters the
// critical section without its lock, or leaves it locked.
func TestNoIncrementIsLostToTheRuntimesSignals(t *testing.T) {
	const workers, each = 4, 5000
	s := newSet(t, 1)
	ended := make(chan struct{})
	var signalling, running sync.WaitGroup
	hits := 0
	signalling.Go(func() {
		for {
			select {
			case <-ended:
				return
			default:
			}
			for _, tid := range ipctest.Sleepers(unix.SYS_SEMOP) {
				if unix.Tgkill(os.Getpid(), tid, unix.SIGURG) == nil {
					hits++
				}
			}
		}
	})
	number := 0
	for range workers {
		running.Go(func() {
			for range each {
				assert.NoError(t, s.Do(op(0, -1)))
				number++
				assert.NoError(t, s.Do(op(0, 1)))
			}
		})
	}
	running.Wait()
	close(ended)
	signalling.Wait()
	assert.Equal(t, workers*each, number)
	assert.Equal(t, []int{1}, values(t, s))
	t.Logf("%d sleepers were hit by a signal", hits)
}

// Fails under the race detector if it is not told.
func TestWhatWasWrittenBeforeAnOperationMayBeReadAfterTheNext(t *testing.T) {
	s := newSet(t, 0)
	for _, way := range sleeps(t.Context(), s) {
		written := 0
		var writing sync.WaitGroup
		writing.Go(func() {
			written = 1
			assert.NoError(t, s.Do(op(0, 1)))
		})
		require.NoError(t, way.do(op(0, -1)))
		assert.Equal(t, 1, written)
		writing.Wait()
	}
}

func TestPerlAndIpcsSeeTheSameValues(t *testing.T) {
	key := newKey()
	s, err := sysvsem.Get(key, 2, sysvsem.Create|sysvsem.Excl|0o600)
	require.NoError(t, err)
	sysvtest.RemoveLater(t, s)
	require.NoError(t, s.SetValues(3, 4))
	out := ipctest.Output(t, "perl", "-e", `my $s = semget(hex $ARGV[0], 2, 0) // die $!;
		semop($s, pack "s!3 s!3", 0, -2, 0, 1, 6, 0) or die $!;
		my $all = ""; semctl($s, 0, 13, $all) // die $!;
		print join " ", unpack "S!*", $all`, key.String()[2:])
	assert.Equal(t, "1 10", out)
	assert.Equal(t, []int{1, 10}, values(t, s))

	done := make(chan error)
	go func() { done <- s.Do(op(0, -5)) }()
	ipctest.Asleep(t, unix.SYS_SEMOP, 1)
	ipcs := ipctest.Output(t, "ipcs", "-s", "-i", fmt.Sprint(s.ID()))
	assert.Regexp(t, `(?m)^0 +1 +1 +0 +\d+ *$`, ipcs, "semaphore, value, waiting for more, for zero, pid")
	assert.Regexp(t, `(?m)^1 +10 +0 +0 +\d+ *$`, ipcs)
	require.NoError(t, s.Do(op(0, 4)))
	require.NoError(t, <-done)
}
