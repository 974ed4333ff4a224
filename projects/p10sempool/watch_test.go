package p10sempool

import (
	"io"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/projects/internal/alive"
)

func TestATokenThatIsMissingIsGivenBackAndOneTooManyIsTaken(t *testing.T) {
	c := newPool(t, 2)
	log := &ipctest.Log{}
	w := newWatcher(c.pool, log)
	defer w.close()
	require.NoError(t, c.available.TryWait())
	inspected(t, w)
	assert.Equal(t, 1, value(t, c.pool), "who has it may be on the way to the table")
	for range looks {
		inspected(t, w)
	}
	assert.Equal(t, 2, value(t, c.pool))
	assert.Contains(t, log.String(), "1 given back")

	for range 3 {
		require.NoError(t, c.available.Post())
	}
	inspected(t, w)
	assert.Equal(t, 2, value(t, c.pool))
}

const futexWaitBitset = 9

func TestATokenThatWokeNobodyIsPostedAgain(t *testing.T) {
	c := newPool(t, 1)
	first, second := join(t, c.name, 1), join(t, c.name, 2)
	require.NoError(t, first.Acquire(patient))
	got := make(chan error)
	go func() { got <- second.Acquire(patient) }()
	word := (*uint64)(unsafe.Pointer(&c.semaphore))
	ipctest.Eventually(t, func() bool { return atomic.LoadUint64(word)>>32 == 1 }, "it is at the semaphore")
	// In sem_clockwait: with a deadline, and not private.
	waits := func(args [6]uintptr) bool { return args[1]&0xff == futexWaitBitset }
	ipctest.Eventually(t, func() bool { return len(ipctest.Sleepers(unix.SYS_FUTEX, waits)) > 0 }, "it sleeps")

	// What is left when a post has woken a worker that was killed then: value 1, and
	// another one still asleep.
	require.NoError(t, c.lock())
	c.vacate(first.index)
	c.unlock()
	atomic.AddUint64(word, 1)
	watch := newWatcher(c.pool, io.Discard)
	defer watch.close()
	for range looks {
		inspected(t, watch)
	}
	require.NoError(t, <-got)
	assert.Zero(t, value(t, c.pool))
}

func TestAProcessThatReusesAPidIsNotTheWorker(t *testing.T) {
	c := newPool(t, 1)
	w := join(t, c.name, 7)
	require.NoError(t, w.Acquire(patient))
	log := &ipctest.Log{}
	watch := newWatcher(c.pool, log)
	defer watch.close()
	inspected(t, watch)
	assert.EqualValues(t, 0, c.free, "it is alive")

	// The same pid, started at another time: the worker is gone.
	watch.forget(w.index)
	watch.entries[w.index].serial = 0
	c.table[w.index].started--
	inspected(t, watch)
	assert.EqualValues(t, 1, c.free)
	assert.Equal(t, 1, value(t, c.pool))
	assert.Contains(t, log.String(), "Worker 7 ")
	assert.Contains(t, log.String(), "died: connection given back (1 remaining)")
	assert.ErrorIs(t, w.Release(), ErrLeft)
}

// killed is a worker of its own process, which ends as the test tells by the kind of death.
var _ = ipctest.Role("killed", func(args []string) int {
	w, err := Join(args[0], 13, io.Discard)
	if err != nil {
		return 1
	}
	die := func() { _ = unix.Kill(unix.Getpid(), unix.SIGKILL); select {} }
	p := w.pool
	switch args[1] {
	case "with the lock, taking":
		_ = p.available.TryWait()
		_ = p.lock()
		p.table[w.index].slot = 0
		p.table[w.index].state = holding
		die() // the table of connections does not know yet
	case "with the lock, releasing":
		_ = w.Acquire(patient)
		_ = p.lock()
		p.table[w.index].state = idle
		die()
	case "with the lock, joining":
		_ = p.lock()
		p.table[w.index] = entry{state: 77, pid: 1}
		die()
	case "between the semaphore and the table":
		_ = p.available.TryWait()
		die()
	case "between the table and the semaphore":
		_ = w.Acquire(patient)
		_ = p.lock()
		p.vacate(w.index)
		p.unlock()
		die()
	case "with a connection":
		_ = w.Acquire(patient)
		die()
	}
	return 2
})

func TestAWorkerThatIsKilledAnywhereLeavesAWholePool(t *testing.T) {
	for _, where := range []string{"with the lock, taking", "with the lock, releasing", "with the lock, joining",
		"between the semaphore and the table", "between the table and the semaphore", "with a connection"} {
		t.Run(where, func(t *testing.T) {
			c := newPool(t, 2)
			cmd := ipctest.Command(t, "killed", c.name, where)
			require.NoError(t, cmd.Start())
			// Not waited for: a zombie is dead too.
			ipctest.Eventually(t, func() bool {
				_, ok := alive.Started(cmd.Process.Pid)
				return !ok
			}, "it dies")
			watch := newWatcher(c.pool, io.Discard)
			defer watch.close()
			for range looks + 1 {
				inspected(t, watch)
			}
			assert.EqualValues(t, 2, c.free)
			assert.Equal(t, 2, value(t, c.pool))
			assert.Zero(t, c.waiting)
			for i := range c.table {
				assert.Equal(t, unused, c.table[i].state)
			}
			require.NoError(t, c.lock(), "the lock is consistent")
			c.unlock()
			require.Error(t, cmd.Wait())
		})
	}
}
