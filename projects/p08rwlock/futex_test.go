package p08rwlock

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/posixshm"
)

func TestAFutexLockIsMadeOnlyInMemoryThatFits(t *testing.T) {
	memory := sharedMemory(t, FutexSize+FutexAlignment)
	for what, bad := range map[string][]byte{
		"none": nil, "too small": memory[:FutexSize-1], "not aligned": memory[1:],
	} {
		_, err := FutexAt(bad)
		assert.ErrorIs(t, err, unix.EINVAL, what)
	}
	l, err := FutexAt(memory[FutexAlignment:])
	require.NoError(t, err)
	same, err := FutexAt(memory[FutexAlignment:])
	require.NoError(t, err)
	r, err := same.Reader()
	require.NoError(t, err)
	require.NoError(t, r.RLock())
	assert.ErrorIs(t, l.TryLock(), unix.EBUSY)
	assert.ErrorIs(t, l.Destroy(), unix.EBUSY)
	r.RUnlock()
	require.NoError(t, l.Lock())
	assert.ErrorIs(t, r.TryRLock(), unix.EBUSY)
	assert.ErrorIs(t, same.Destroy(), unix.EBUSY)
	require.NoError(t, same.Unlock(), "it has no owner")
	require.NoError(t, l.Destroy())
}

func TestAReaderHoldsTheFutexLockOnce(t *testing.T) {
	l, err := NewFutex()
	require.NoError(t, err)
	r, err := l.Reader()
	require.NoError(t, err)
	require.NoError(t, r.RLock())
	assert.ErrorIs(t, r.Close(), unix.EBUSY)
	for what, call := range map[string]func() error{
		"RLock": r.RLock, "TryRLock": r.TryRLock, "RLockFor": func() error { return r.RLockFor(time.Hour) },
		"RLockBy":      func() error { return r.RLockBy(time.Now().Add(time.Hour)) },
		"RLockContext": func() error { return r.RLockContext(t.Context()) },
	} {
		assert.ErrorIs(t, call(), unix.EDEADLK, what)
		assert.ErrorIs(t, l.TryLock(), unix.EBUSY, "%s: he holds it still", what)
	}
	r.RUnlock()
	r.RUnlock() // does nothing
	require.NoError(t, l.TryLock())
	require.NoError(t, l.Unlock())
	require.NoError(t, r.Close())
	require.NoError(t, l.Destroy())
}

func TestThereAreSoManyReadersOfAFutexLockAndNoMore(t *testing.T) {
	l, err := NewFutex()
	require.NoError(t, err)
	var all []*FutexReader
	for range FutexSlots {
		r, err := l.Reader()
		require.NoError(t, err)
		require.NoError(t, r.RLock())
		all = append(all, r)
	}
	_, err = l.Reader()
	assert.ErrorIs(t, err, unix.EAGAIN)
	for _, r := range all[1:] {
		r.RUnlock()
	}
	assert.ErrorIs(t, l.TryLock(), unix.EBUSY, "the first one is in")
	all[0].RUnlock()
	require.NoError(t, l.TryLock())
	require.NoError(t, all[7].Close())
	r, err := l.Reader()
	require.NoError(t, err)
	assert.Same(t, all[7].slot, r.slot)
	assert.ErrorIs(t, r.TryRLock(), unix.EBUSY)
	require.NoError(t, l.Unlock())
	require.NoError(t, l.Destroy())
}

// Whoever sleeps has nothing but the wake-up: the looks before the sleep are left out, and
// the readers are never away for long.
func TestNoWakeUpOfASleeperIsLost(t *testing.T) {
	l, err := NewFutex()
	require.NoError(t, err)
	if l.m.polls != 0 {
		t.Log("the kernel has no membarrier(2) here")
	}
	var over atomic.Bool
	var readers sync.WaitGroup
	for range 2 {
		r, err := l.Reader()
		require.NoError(t, err)
		readers.Go(func() {
			for !over.Load() {
				if r.enter() {
					for range rand.N(3000) {
					}
					r.RUnlock()
				}
			}
		})
	}
	left := 0
	for range 3000 {
		for looks := 0; l.m.empty() && looks < 1000; looks++ {
		}
		for !atomic.CompareAndSwapUint32(&l.m.writer, 0, writing) {
			assert.NoError(t, l.m.sleep(&l.m.opened, l.m.open, patience{limit: forEver}))
		}
		for !l.m.empty() {
			left++
			assert.NoError(t, l.m.sleep(&l.m.left, l.m.empty, patience{limit: forEver}))
		}
		l.taken()
		assert.NoError(t, l.Unlock())
	}
	over.Store(true)
	readers.Wait()
	t.Logf("the writer has waited %d times for readers", left)
	require.NoError(t, l.Destroy())
}

// A process that is gone, with a slot that is its own, and maybe set.
var _ = ipctest.Role("leave a slot", func(args []string) int {
	l, err := mappedFutex(args[0])
	if err != nil {
		return 1
	}
	if r, err := l.Reader(); err != nil || args[1] == "reading" && r.RLock() != nil {
		return 2
	}
	return 0
})

func mappedFutex(name string) (*FutexRWLock, error) {
	o, err := posixshm.Open(name, unix.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	memory, err := o.Map(FutexSize, true)
	if err != nil {
		return nil, err
	}
	return FutexAt(memory)
}

func newFutexObject(t *testing.T) (name string, memory []byte) {
	name = "/" + ipctest.Name(t)
	o, err := posixshm.Open(name, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL, 0o600)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, posixshm.Unlink(name)) })
	const size = FutexSize + int(unsafe.Sizeof(cells{}))
	require.NoError(t, o.Allocate(size))
	memory, err = o.Map(size, true)
	require.NoError(t, err)
	require.NoError(t, o.Close())
	t.Cleanup(func() { assert.NoError(t, posixshm.Unmap(memory)) })
	return name, memory
}

func TestTheSlotOfAProcessThatIsGoneIsUsedAgainUnlessItIsIn(t *testing.T) {
	name, memory := newFutexObject(t)
	l, err := FutexAt(memory)
	require.NoError(t, err)
	require.NoError(t, ipctest.Command(t, "leave a slot", name, "idle").Run())
	mine, err := l.Reader()
	require.NoError(t, err)
	assert.Same(t, &l.m.slot[0], mine.slot)
	require.NoError(t, ipctest.Command(t, "leave a slot", name, "reading").Run())
	mine, err = l.Reader()
	require.NoError(t, err)
	assert.Same(t, &l.m.slot[2], mine.slot)
	assert.ErrorIs(t, l.TryLock(), unix.EBUSY, "what it held stays held")
}

// testFutexCrossed has programs in both languages use one futex lock at the same time.
func testFutexCrossed(t *testing.T, folders map[string]string) {
	name, memory := newFutexObject(t)
	const threads, each, reads = 3, 30_000, 90
	var running []*exec.Cmd
	for range 2 {
		for _, args := range [][]string{
			{filepath.Join(folders["Go"], "test_myrwlock"), roleArgument}, {filepath.Join(folders["C"], "rwlock_bench")},
		} {
			cmd := exec.CommandContext(t.Context(), args[0], append(args[1:], "--lock=futex", "--shared="+name,
				fmt.Sprintf("--reads=%d", reads), fmt.Sprintf("--threads=%d", threads), fmt.Sprintf("--count=%d", threads*each))...)
			cmd.Stdout, cmd.Stderr = &bytes.Buffer{}, &bytes.Buffer{}
			require.NoError(t, cmd.Start())
			running = append(running, cmd)
		}
	}
	for _, cmd := range running {
		assert.NoError(t, cmd.Wait(), "%s", cmd.Stderr)
		assert.Contains(t, cmd.Stdout.(*bytes.Buffer).String(), fmt.Sprintf(`"count":%d,`, threads*each), "all of them right")
	}
	c := (*cells)(unsafe.Pointer(&memory[FutexSize]))
	assert.Equal(t, uint64(len(running)*threads*each*(100-reads)/100), c.a)
	assert.Equal(t, c.a, c.b)
}
