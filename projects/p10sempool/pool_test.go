package p10sempool

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
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

// patient is for what takes milliseconds, on a machine that does much else.
const patient = time.Minute

// logged is a log that can be read while it is written.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// drop drops the manager's lock. A mapping keeps the open file, and so the lock, as the
// descriptor does.
func (c *claimed) drop(t *testing.T) {
	t.Helper()
	c.unmap()
	require.NoError(t, c.object.Close())
}

// newPool makes a pool without a manager, that the test sees to.
func newPool(t *testing.T, slots int) *claimed {
	t.Helper()
	c, err := claim("/"+ipctest.Name(t), slots, false)
	require.NoError(t, err)
	t.Cleanup(func() {
		c.unmap()
		assert.NoError(t, c.object.Close())
		_ = posixshm.Unlink(c.name)
	})
	return c
}

// inspected is a look of a watcher, as a manager does it.
func inspected(t *testing.T, w *watcher) {
	t.Helper()
	require.NoError(t, w.pool.lock())
	w.inspect(0)
	w.pool.unlock()
}

func value(t *testing.T, p *pool) int {
	t.Helper()
	n, err := p.available.Value()
	require.NoError(t, err)
	return n
}

func join(t *testing.T, name string, number uint32) *Worker {
	t.Helper()
	w, err := Join(name, number, nil)
	require.NoError(t, err)
	t.Cleanup(w.unmap)
	return w
}

func TestTheLayoutIsThatOfTheReference(t *testing.T) {
	var s shared
	for name, at := range map[string][2]uintptr{
		"checksum":  {unsafe.Offsetof(s.checksum), 40},
		"semaphore": {unsafe.Offsetof(s.semaphore), 64},
		"mutex":     {unsafe.Offsetof(s.mutex), 128},
		"manager":   {unsafe.Offsetof(s.manager), 192},
		"serials":   {unsafe.Offsetof(s.serials), 248},
		"table":     {unsafe.Offsetof(s.table), 512},
		"entry":     {unsafe.Sizeof(entry{}), 64},
		"all":       {unsafe.Sizeof(s), 512 + 64*maxEntries + 16*MaxConnections},
		"request":   {uintptr(requestSize), 24},
		"answer":    {uintptr(answerSize), 128},
	} {
		assert.Equal(t, at[1], at[0], name)
	}
}

func TestNoConnectionIsLentTwice(t *testing.T) {
	c := newPool(t, 3)
	var held [3]sync.Mutex
	var all sync.WaitGroup
	failed := make(chan string, 100)
	for i := range 8 {
		w := join(t, c.name, uint32(i))
		all.Go(func() {
			for range 300 {
				if err := w.Acquire(patient); err != nil {
					failed <- err.Error()
					return
				}
				if !held[w.slot].TryLock() {
					failed <- fmt.Sprintf("connection %d is lent twice", w.slot)
					return
				}
				w.used()
				held[w.slot].Unlock()
				if err := w.Release(); err != nil {
					failed <- err.Error()
					return
				}
			}
		})
	}
	all.Wait()
	close(failed)
	for why := range failed {
		t.Error(why)
	}
	assert.NoError(t, c.verify(8*300))
	assert.EqualValues(t, 3, c.free)
	assert.Equal(t, 3, value(t, c.pool))
	assert.Zero(t, c.waiting)
}

func TestATokenThatIsMissingIsGivenBackAndOneTooManyIsTaken(t *testing.T) {
	c := newPool(t, 2)
	log := &logged{}
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

func TestWhoHasATokenTooManyWaitsAgain(t *testing.T) {
	c := newPool(t, 1)
	first, second := join(t, c.name, 1), join(t, c.name, 2)
	require.NoError(t, first.Acquire(patient))
	require.NoError(t, c.available.Post())
	err := second.Acquire(10 * time.Millisecond)
	var timeout *TimeoutError
	require.ErrorAs(t, err, &timeout)
	assert.Contains(t, err.Error(), "1 of 1 are lent, one to worker 1")
	require.NoError(t, first.Release())
	require.NoError(t, second.Acquire(patient))
	assert.Zero(t, c.free)
}

func TestATokenThatWokeNobodyIsPostedAgain(t *testing.T) {
	c := newPool(t, 1)
	first, second := join(t, c.name, 1), join(t, c.name, 2)
	require.NoError(t, first.Acquire(patient))
	got := make(chan error)
	go func() { got <- second.Acquire(patient) }()
	word := (*uint64)(unsafe.Pointer(&c.semaphore))
	ipctest.Eventually(t, func() bool { return atomic.LoadUint64(word)>>32 == 1 }, "it is at the semaphore")
	ipctest.Eventually(t, func() bool { return asleep(t) }, "it sleeps")

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

// asleep says whether a thread of this process sleeps in sem_clockwait: in the futex call,
// with a deadline (FUTEX_WAIT_BITSET, not private).
func asleep(t *testing.T) bool {
	t.Helper()
	calls, err := filepath.Glob("/proc/self/task/*/syscall")
	require.NoError(t, err)
	for _, file := range calls {
		call, _ := os.ReadFile(file)
		fields := strings.Fields(string(call))
		if len(fields) > 2 && fields[0] == strconv.Itoa(unix.SYS_FUTEX) {
			if op, _ := strconv.ParseUint(strings.TrimPrefix(fields[2], "0x"), 16, 32); op&0x7f == 9 && op&0x80 == 0 {
				return true
			}
		}
	}
	return false
}

func TestAProcessThatReusesAPidIsNotTheWorker(t *testing.T) {
	c := newPool(t, 1)
	w := join(t, c.name, 7)
	require.NoError(t, w.Acquire(patient))
	log := &logged{}
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

func TestOvertakingIsCounted(t *testing.T) {
	c := newPool(t, 1)
	slow, quick := join(t, c.name, 1), join(t, c.name, 2)
	require.NoError(t, slow.beginToWait())
	require.NoError(t, quick.Acquire(patient))
	assert.EqualValues(t, 1, c.counters.Overtaken)
	require.NoError(t, quick.Release())
	require.NoError(t, c.available.TryWait())
	remaining, err := slow.take()
	require.NoError(t, err)
	assert.Zero(t, remaining)
	assert.EqualValues(t, 1, c.counters.Overtaken, "nobody else waited")
	assert.Positive(t, c.counters.LongestWait)
}

func TestTheTableIsFullOnce(t *testing.T) {
	c := newPool(t, 1)
	first := join(t, c.name, 0)
	for i := range c.table {
		if i != first.index {
			c.table[i] = entry{state: idle, pid: int32(os.Getpid())}
		}
	}
	_, err := Join(c.name, 1, nil)
	assert.ErrorIs(t, err, ErrFull)
	require.NoError(t, first.Leave(true))
	require.NoError(t, first.Leave(true), "it has left already")
	assert.EqualValues(t, 1, c.counters.Completed)
	join(t, c.name, 2)
}

func TestAManagerThatEndsTellsWhoWaits(t *testing.T) {
	c := newPool(t, 1)
	first, second := join(t, c.name, 1), join(t, c.name, 2)
	require.NoError(t, first.Acquire(patient))
	waited := make(chan error)
	go func() { waited <- second.Acquire(patient) }()
	ipctest.Eventually(t, func() bool {
		require.NoError(t, c.lock())
		defer c.unlock()
		return c.waiting == 1
	}, "it waits")
	require.NoError(t, c.close())
	assert.ErrorIs(t, <-waited, ErrClosed)
	require.NoError(t, first.Release(), "who holds may go on")
	_, err := Join(c.name, 3, nil)
	assert.ErrorIs(t, err, os.ErrNotExist)
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
				_, alive := started(int32(cmd.Process.Pid))
				return !alive
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

func TestAnObjectThatIsHalfMadeIsMadeAnew(t *testing.T) {
	for what, begin := range map[string]string{"empty": "", "begun": string(making[:])} {
		name := "/" + ipctest.Name(t)
		require.NoError(t, os.WriteFile(filepath.Join(shmFolder, name), []byte(begin), 0o600))
		_, err := attach(name)
		assert.ErrorContains(t, err, "not a connection pool", what)
		c, err := claim(name, 3, false)
		require.NoError(t, err, what)
		assert.EqualValues(t, 3, c.free)
		require.NoError(t, c.close())
		c.unmap()
		require.NoError(t, c.object.Close())
	}
}

func TestAHeaderThatDoesNotFitIsRefused(t *testing.T) {
	for what, c := range map[string]struct {
		change func(h *header)
		want   string
	}{
		"magic":      {func(h *header) { h.magic[0]++ }, "not a connection pool"},
		"version":    {func(h *header) { h.version++; h.checksum = h.sum() }, "version 2"},
		"a bit":      {func(h *header) { h.slots ^= 1 << 20 }, "damaged"},
		"slots":      {func(h *header) { h.slots = 5000; h.checksum = h.sum() }, "another layout"},
		"no slots":   {func(h *header) { h.slots = 0; h.checksum = h.sum() }, "another layout"},
		"size":       {func(h *header) { h.size++; h.checksum = h.sum() }, "another layout"},
		"semaphores": {func(h *header) { h.semSize = 16; h.checksum = h.sum() }, "another layout"},
	} {
		p := newPool(t, 2)
		join(t, p.name, 1) // so that it would be taken over
		c.change(&p.header)
		_, err := attach(p.name)
		assert.ErrorContains(t, err, c.want, what)
		p.drop(t)
		_, err = claim(p.name, 2, false)
		assert.ErrorContains(t, err, c.want, what)
		assert.ErrorContains(t, err, "nothing was changed", what)
		p.object, err = posixshm.Open(p.name, unix.O_RDWR, 0)
		require.NoError(t, err)
	}
	c := newPool(t, 2)
	c.shared.mutex[mutexKind] ^= 0xff
	_, err := attach(c.name)
	assert.ErrorContains(t, err, "the lock is damaged")
	require.NoError(t, c.object.Truncate(4096))
	_, err = attach(c.name)
	assert.Error(t, err)
	require.NoError(t, c.object.Truncate(sharedSize))
}

// testDamaged lets programs use a pool whose table and counters are noise.
func testDamaged(t *testing.T, bin string) {
	random := rand.New(rand.NewPCG(10, 20))
	for range 10 {
		c := newPool(t, 2)
		from := int(unsafe.Offsetof(c.shared.manager))
		for i := from; i < sharedSize; i++ {
			c.memory[i] = byte(random.Uint32())
		}
		c.closed = random.Uint32() % 2
		for i := range c.table {
			c.table[i].state = random.Uint32() % 6
			c.table[i].pid = int32(random.Uint32() % 70000)
		}
		// One lives, so that a manager takes the pool over.
		self := int32(os.Getpid())
		ticks, _ := started(self)
		c.table[random.IntN(maxEntries)] = entry{state: idle, pid: self, started: ticks}
		c.drop(t)
		for _, argv := range [][]string{
			{"pool_manager", "--status"},
			{"worker", "--timeout", "0.05", "--hold", "0", "1"},
			{"pool_manager", "--max-connections=2", "--workers=1"},
		} {
			ctx, cancel := context.WithTimeout(t.Context(), patient)
			cmd := exec.CommandContext(ctx, filepath.Join(bin, argv[0]), append(argv[1:], "--name", c.name)...)
			// The counter of workers is noise too, and may be large enough or not.
			if argv[len(argv)-1] == "--workers=1" {
				cmd = exec.CommandContext(ctx, "timeout", append([]string{"-s", "INT", "0.3", cmd.Path}, cmd.Args[1:]...)...)
			}
			out, _ := cmd.CombinedOutput()
			status := cmd.ProcessState.ExitCode()
			assert.Contains(t, []int{0, 1, 124}, status, "%q: %s\n%s", argv, cmd.ProcessState, out)
			cancel()
		}
		var err error
		c.object, err = posixshm.Open(c.name, unix.O_RDWR|unix.O_CREAT, 0o600)
		require.NoError(t, err)
	}
}
