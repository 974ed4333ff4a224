package sysvsem_test

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/sysv/sysvtest"
	"unpipc/gobind/ipctest"
	"unpipc/gobind/sysvsem"
)

func TestOneOfManyMakesTheSetAndAllFindItsValues(t *testing.T) {
	for range 50 {
		key := newKey()
		var running sync.WaitGroup
		var mu sync.Mutex
		makers := 0
		for range 8 {
			running.Go(func() {
				s, made, err := sysvsem.Establish(t.Context(), key, 0o600, 8, 0, 32767)
				if !assert.NoError(t, err) {
					return
				}
				mu.Lock()
				defer mu.Unlock()
				if made {
					makers++
					sysvtest.RemoveLater(t, s)
				}
				assert.NoError(t, s.Do(sysvsem.Op{Add: -1, Flags: sysvsem.NoWait}), "the values are there")
			})
		}
		running.Wait()
		require.False(t, t.Failed())
		assert.Equal(t, 1, makers)
		s, made, err := sysvsem.Establish(t.Context(), key, 0o600, 1, 1, 1)
		require.NoError(t, err)
		assert.False(t, made)
		assert.Equal(t, []int{0, 0, 32767}, values(t, s))
		require.NoError(t, s.Remove())
	}
}

var _ = ipctest.Role("establish", func(args []string) int {
	key, _ := strconv.ParseInt(args[0], 10, 32)
	s, _, err := sysvsem.Establish(context.Background(), sysvsem.Key(key), 0o600, 0, 5)
	if err == nil {
		err = s.Do(op(0, 1), sysvsem.Op{Sem: 1, Add: -1, Flags: sysvsem.NoWait})
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
})

func TestProcessesThatMakeOneSetFindItsValues(t *testing.T) {
	key := newKey()
	var running sync.WaitGroup
	for range 5 {
		cmd := ipctest.Command(t, "establish", fmt.Sprint(int32(key)))
		running.Go(func() {
			out, err := cmd.CombinedOutput()
			assert.NoError(t, err, string(out))
		})
	}
	running.Wait()
	s, err := sysvsem.Get(key, 2, 0)
	require.NoError(t, err)
	sysvtest.RemoveLater(t, s)
	assert.Equal(t, []int{5, 0}, values(t, s))
}

func TestASetIsNotUsedBeforeItsMakerHasFinished(t *testing.T) {
	key := newKey()
	s, err := sysvsem.Get(key, 1, sysvsem.Create|sysvsem.Excl|0o600)
	require.NoError(t, err)
	sysvtest.RemoveLater(t, s)
	require.NoError(t, s.SetValue(0, 1))

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, _, err = sysvsem.Establish(ctx, key, 0o600, 1)
	assert.ErrorIs(t, err, context.DeadlineExceeded, "its maker may be dead")
	ipctest.IsPathError(t, s.Initialized(ctx), "wait for the values of", fmt.Sprintf("System V semaphores %s (semid %d)", key, s.ID()),
		context.DeadlineExceeded)

	done := make(chan error, 1)
	go func() {
		_, made, err := sysvsem.Establish(t.Context(), key, 0o600, 1)
		assert.False(t, made)
		done <- err
	}()
	require.NoError(t, s.Do(op(0, -1), op(0, 1)))
	require.NoError(t, <-done)
}

func TestASetThatIsRemovedUnfinishedIsMadeAnew(t *testing.T) {
	key := newKey()
	s, err := sysvsem.Get(key, 1, sysvsem.Create|sysvsem.Excl|0o600)
	require.NoError(t, err)
	sysvtest.RemoveLater(t, s)
	done := make(chan *sysvsem.Set, 1)
	go func() {
		anew, made, err := sysvsem.Establish(t.Context(), key, 0o600, 9)
		assert.NoError(t, err)
		assert.True(t, made)
		done <- anew
	}()
	require.NoError(t, s.Remove())
	anew := <-done
	require.NotNil(t, anew)
	sysvtest.RemoveLater(t, anew)
	assert.Equal(t, []int{9}, values(t, anew))
}

func TestWhatCannotBeEstablishedLeavesNothing(t *testing.T) {
	key := newKey()
	_, _, err := sysvsem.Establish(t.Context(), key, 0o600, 1, 40000)
	assert.ErrorIs(t, err, unix.ERANGE)
	_, _, err = sysvsem.Establish(t.Context(), key, 0o600)
	assert.ErrorIs(t, err, unix.EINVAL)
	_, err = sysvsem.Get(key, 0, 0)
	assert.ErrorIs(t, err, unix.ENOENT)

	s, made, err := sysvsem.Establish(t.Context(), key, 0o600, 1)
	require.NoError(t, err)
	sysvtest.RemoveLater(t, s)
	assert.True(t, made)
	_, _, err = sysvsem.Establish(t.Context(), key, 0o600, 1, 2)
	assert.ErrorIs(t, err, unix.EINVAL, "the set that is there has one semaphore")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err = sysvsem.Establish(ended, key, 0o600, 1)
	assert.Equal(t, context.Canceled, err)
}
