package p08rwlock

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/pthread"
)

// basic is what every lock has; those of this package and libc's are Lockers.
type basic interface {
	RLock() error
	TryRLock() error
	RUnlock() error
	Lock() error
	TryLock() error
	Unlock() error
}

// variant of a lock that all must conform to one suite.
type lockVariant struct {
	name string
	make func(t *testing.T) basic
	// overtaken says whether a reader who comes gets in while a writer waits for others.
	overtaken bool
}

var lockVariants = []lockVariant{
	{"reader preference", private(PreferReader), true},
	{"writer preference", private(PreferWriter), false},
	{"fair", private(Fair), false},
	{"reader preference, shared", shared(PreferReader), true},
	{"writer preference, shared", shared(PreferWriter), false},
	{"fair, shared", shared(Fair), false},
	{"futex", func(t *testing.T) basic { return destroyed(t, newFutex(true)) }, false},
	{"futex without membarrier", func(t *testing.T) basic { return destroyed(t, newFutex(false)) }, false},
	{"pthread_rwlock", posix(pthread.PreferReader), true},
	{"pthread_rwlock that prefers writers", posix(pthread.PreferWriterNonrecursive), false},
	{"sync.RWMutex", func(*testing.T) basic { return &syncLock{} }, false},
}

// newFutex makes a lock that can be used like the others.
func newFutex(barrier bool) func() (Locker, error) {
	return func() (Locker, error) {
		l, err := NewFutex()
		if err == nil && !barrier {
			l.m.polls = 1
		}
		return &futexLocker{FutexRWLock: l}, err
	}
}

// futexLocker has a reader for everybody who is in, whoever that is.
type futexLocker struct {
	*FutexRWLock
	mu       sync.Mutex
	in, idle []*FutexReader
}

func (l *futexLocker) read(lock func(r *FutexReader) error) error {
	l.mu.Lock()
	r, err := last(&l.idle), error(nil)
	if r == nil {
		r, err = l.Reader()
	}
	l.mu.Unlock()
	if err == nil {
		err = lock(r)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		l.in = append(l.in, r)
	} else if r != nil {
		l.idle = append(l.idle, r)
	}
	return err
}

func (l *futexLocker) RUnlock() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := last(&l.in)
	if r == nil {
		return fail("unlock", unix.EPERM)
	}
	r.RUnlock()
	l.idle = append(l.idle, r)
	return nil
}

// last takes the last one away, or nil.
func last(readers *[]*FutexReader) *FutexReader {
	n := len(*readers) - 1
	if n < 0 {
		return nil
	}
	r := (*readers)[n]
	*readers = (*readers)[:n]
	return r
}

func (l *futexLocker) RLock() error    { return l.read((*FutexReader).RLock) }
func (l *futexLocker) TryRLock() error { return l.read((*FutexReader).TryRLock) }

func (l *futexLocker) RLockBy(deadline time.Time) error {
	return l.read(func(r *FutexReader) error { return r.RLockBy(deadline) })
}

func (l *futexLocker) RLockFor(d time.Duration) error {
	return l.read(func(r *FutexReader) error { return r.RLockFor(d) })
}

func (l *futexLocker) RLockContext(ctx context.Context) error {
	return l.read(func(r *FutexReader) error { return r.RLockContext(ctx) })
}

// destroyed makes a lock that is free and destroyed at the end of the test.
func destroyed(t *testing.T, make func() (Locker, error)) basic {
	l, err := make()
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, l.Destroy(), "nobody holds it or waits") })
	return l
}

func private(policy Policy) func(t *testing.T) basic {
	return func(t *testing.T) basic { return destroyed(t, func() (Locker, error) { return New(policy) }) }
}

func shared(policy Policy) func(t *testing.T) basic {
	return func(t *testing.T) basic {
		return destroyed(t, func() (Locker, error) {
			return Init(sharedMemory(t, Size), Attr{Policy: policy, Shared: true})
		})
	}
}

func posix(kind pthread.RWLockKind) func(t *testing.T) basic {
	return func(t *testing.T) basic {
		return destroyed(t, func() (Locker, error) {
			l, err := pthread.NewRWLock(pthread.RWLockAttr{Kind: kind})
			return Posix{l}, err
		})
	}
}

func sharedMemory(t *testing.T, bytes int) []byte {
	memory, err := unix.Mmap(-1, 0, bytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANONYMOUS)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, unix.Munmap(memory)) })
	return memory
}

// syncLock is Go's own lock with errors.
type syncLock struct{ m sync.RWMutex }

func (l *syncLock) RLock() error    { l.m.RLock(); return nil }
func (l *syncLock) RUnlock() error  { l.m.RUnlock(); return nil }
func (l *syncLock) Lock() error     { l.m.Lock(); return nil }
func (l *syncLock) Unlock() error   { l.m.Unlock(); return nil }
func (l *syncLock) TryRLock() error { return busyUnless(l.m.TryRLock()) }
func (l *syncLock) TryLock() error  { return busyUnless(l.m.TryLock()) }

func busyUnless(ok bool) error {
	if ok {
		return nil
	}
	return fail("try", unix.EBUSY)
}

// forAll runs a test for all locks.
func forAll(t *testing.T, test func(t *testing.T, v lockVariant, l basic)) {
	for _, v := range lockVariants {
		t.Run(v.name, func(t *testing.T) { test(t, v, v.make(t)) })
	}
}

// forLockers runs a test for all locks that have forms with a limit.
func forLockers(t *testing.T, test func(t *testing.T, v lockVariant, l Locker)) {
	forAll(t, func(t *testing.T, v lockVariant, l basic) {
		if l, ok := l.(Locker); ok {
			test(t, v, l)
		}
	})
}

// actor is a goroutine that does what it is told: libc's lock must be given back by the
// thread that took it.
type actor struct {
	t      *testing.T
	orders chan func()
}

func newActor(t *testing.T) *actor {
	a := &actor{t, make(chan func())}
	var gone sync.WaitGroup
	gone.Go(func() {
		for order := range a.orders {
			order()
		}
	})
	t.Cleanup(func() {
		close(a.orders)
		gone.Wait()
	})
	return a
}

// begin has it begin a call; the result comes through the channel.
func (a *actor) begin(call func() error) <-chan error {
	result := make(chan error, 1)
	a.orders <- func() { result <- call() }
	return result
}

// try has it make a call that returns at once.
func (a *actor) try(call func() error) error { return <-a.begin(call) }

// does has it make a call that succeeds.
func (a *actor) does(call func() error) {
	a.t.Helper()
	require.NoError(a.t, a.try(call))
}

// notYet says that a call goes on waiting.
func notYet(t *testing.T, result <-chan error) {
	t.Helper()
	select {
	case err := <-result:
		t.Fatalf("has not waited: %v", err)
	default:
	}
}

// waiting waits until so many readers and writers wait at one of our locks.
func waiting(t *testing.T, l *RWLock, readers, writers int) {
	t.Helper()
	ipctest.Eventually(t, func() bool {
		s, err := l.State()
		require.NoError(t, err)
		return s.WaitingReaders == readers && s.WaitingWriters == writers
	}, "they wait")
}

// writerWaits waits until a writer, whose lock is held for reading, keeps readers out.
// Where he does not there is nothing to be seen, and nothing that depends on it.
func writerWaits(t *testing.T, v lockVariant, l basic) {
	t.Helper()
	if ours, ok := l.(*RWLock); ok {
		waiting(t, ours, 0, 1)
	} else if !v.overtaken {
		reader := newActor(t)
		ipctest.Eventually(t, func() bool {
			if reader.try(l.TryRLock) != nil {
				return true
			}
			reader.does(l.RUnlock)
			return false
		}, "the writer waits")
	}
}
