package p08rwlock

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestReadersAreInTogetherAndAWriterIsNot(t *testing.T) {
	forAll(t, func(t *testing.T, _ lockVariant, l basic) {
		a, b, w := newActor(t), newActor(t), newActor(t)
		a.does(l.RLock)
		b.does(l.RLock)
		assert.ErrorIs(t, w.try(l.TryLock), unix.EBUSY)
		w.does(l.TryRLock)
		w.does(l.RUnlock)
		a.does(l.RUnlock)
		assert.ErrorIs(t, w.try(l.TryLock), unix.EBUSY)
		b.does(l.RUnlock)
		w.does(l.TryLock)
		w.does(l.Unlock)
	})
}

func TestAWriterIsInAlone(t *testing.T) {
	forAll(t, func(t *testing.T, _ lockVariant, l basic) {
		a, w := newActor(t), newActor(t)
		w.does(l.Lock)
		assert.ErrorIs(t, a.try(l.TryRLock), unix.EBUSY)
		assert.ErrorIs(t, a.try(l.TryLock), unix.EBUSY)
		w.does(l.Unlock)
		a.does(l.RLock)
		a.does(l.RUnlock)
		a.does(l.Lock)
		a.does(l.Unlock)
	})
}

func TestAWaitingWriterGetsInWhenTheLastReaderLeaves(t *testing.T) {
	forAll(t, func(t *testing.T, v lockVariant, l basic) {
		a, b, w := newActor(t), newActor(t), newActor(t)
		a.does(l.RLock)
		b.does(l.RLock)
		in := w.begin(l.Lock)
		writerWaits(t, v, l)
		a.does(l.RUnlock)
		notYet(t, in)
		b.does(l.RUnlock)
		require.NoError(t, <-in)
		w.does(l.Unlock)
	})
}

func TestAllWhoWaitGetInAfterAWriter(t *testing.T) {
	forAll(t, func(t *testing.T, _ lockVariant, l basic) {
		first := newActor(t)
		first.does(l.Lock)
		var all sync.WaitGroup
		for i := range 8 {
			lock, unlock := l.RLock, l.RUnlock
			if i%4 == 0 {
				lock, unlock = l.Lock, l.Unlock
			}
			all.Go(func() {
				assert.NoError(t, lock())
				assert.NoError(t, unlock())
			})
		}
		runtime.Gosched()
		first.does(l.Unlock)
		all.Wait()
	})
}

func TestNoWriteIsLostAndNoReadIsTorn(t *testing.T) {
	forAll(t, func(t *testing.T, _ lockVariant, l basic) {
		const writers, readers, rounds = 3, 4, 300
		a, b := 0, 0 // plain: the race detector looks too
		var all sync.WaitGroup
		for range writers {
			all.Go(func() {
				for range rounds {
					if !assert.NoError(t, l.Lock()) {
						return
					}
					a++
					if rand.N(4) == 0 {
						runtime.Gosched()
					}
					b++
					assert.NoError(t, l.Unlock())
				}
			})
		}
		for range readers {
			all.Go(func() {
				for range rounds {
					if !assert.NoError(t, l.RLock()) {
						return
					}
					before := a
					if rand.N(4) == 0 {
						runtime.Gosched()
					}
					assert.Equal(t, before, b)
					assert.NoError(t, l.RUnlock())
				}
			})
		}
		all.Wait()
		assert.Equal(t, writers*rounds, a)
		assert.Equal(t, writers*rounds, b)
	})
}

// Two readers relieve one another, so that one of them is always in. Whether a writer who
// waits meanwhile ever gets in depends on the policy alone, not on any speed.
func TestReadersThatOverlapStarveAWriterOnlyUnderReaderPreference(t *testing.T) {
	forAll(t, func(t *testing.T, v lockVariant, l basic) {
		a, b, w := newActor(t), newActor(t), newActor(t)
		a.does(l.RLock)
		in := w.begin(l.Lock)
		writerWaits(t, v, l)
		if !v.overtaken {
			second := b.begin(l.RLock)
			notYet(t, in)
			a.does(l.RUnlock)
			require.NoError(t, <-in, "he gets in as soon as the first reader has left")
			notYet(t, second)
			w.does(l.Unlock)
			require.NoError(t, <-second)
			b.does(l.RUnlock)
			return
		}
		for range 500 {
			b.does(l.RLock)
			a.does(l.RUnlock)
			notYet(t, in)
			a, b = b, a
		}
		a.does(l.RUnlock)
		require.NoError(t, <-in, "nobody but they kept him out")
		w.does(l.Unlock)
	})
}

// The other way round, for our policies: writers of whom one waits whenever another leaves.
func TestWritersThatFollowOneAnotherStarveAReaderOnlyUnderWriterPreference(t *testing.T) {
	for policy := range policies {
		t.Run(policy.String(), func(t *testing.T) {
			l := private(policy)(t).(*RWLock)
			a, b, r := newActor(t), newActor(t), newActor(t)
			a.does(l.Lock)
			in := r.begin(l.RLock)
			waiting(t, l, 1, 0)
			rounds := 200
			if policy != PreferWriter {
				rounds = 1
			}
			for range rounds {
				next := b.begin(l.Lock)
				waiting(t, l, 1, 1)
				a.does(l.Unlock)
				if policy != PreferWriter {
					require.NoError(t, <-in, "his turn is before the second writer's")
					notYet(t, next)
					r.does(l.RUnlock)
					require.NoError(t, <-next)
				} else {
					require.NoError(t, <-next)
					notYet(t, in)
				}
				a, b = b, a
			}
			a.does(l.Unlock)
			if policy == PreferWriter {
				require.NoError(t, <-in, "nobody but they kept him out")
				r.does(l.RUnlock)
			}
		})
	}
}

func TestAWaitWithALimitEndsAndTakesNothing(t *testing.T) {
	past := time.Unix(0, 0)
	forLockers(t, func(t *testing.T, _ lockVariant, l Locker) {
		w, a := newActor(t), newActor(t)
		w.does(l.Lock)
		for what, call := range map[string]func() error{
			"RLockFor":                func() error { return l.RLockFor(time.Millisecond) },
			"LockFor":                 func() error { return l.LockFor(time.Millisecond) },
			"RLockBy":                 func() error { return l.RLockBy(time.Now().Add(time.Millisecond)) },
			"LockBy":                  func() error { return l.LockBy(time.Now().Add(time.Millisecond)) },
			"RLockFor no time":        func() error { return l.RLockFor(0) },
			"LockFor less than that":  func() error { return l.LockFor(-time.Hour) },
			"RLockBy a time long ago": func() error { return l.RLockBy(past) },
			"LockBy a time long ago":  func() error { return l.LockBy(past) },
		} {
			assert.ErrorIs(t, a.try(call), unix.ETIMEDOUT, what)
		}
		w.does(l.Unlock)
		// Nobody holds it now, and what is free is taken whatever the time.
		a.does(func() error { return l.LockBy(past) })
		a.does(l.Unlock)
		a.does(func() error { return l.RLockFor(-time.Hour) })
		a.does(l.RUnlock)
		a.does(func() error { return l.LockFor(0) })
		a.does(l.Unlock)
		a.does(func() error { return l.RLockBy(past) })
		a.does(l.RUnlock)
	})
}

func TestAWaitWithALongLimitEndsWithTheLock(t *testing.T) {
	forLockers(t, func(t *testing.T, _ lockVariant, l Locker) {
		w, a, b := newActor(t), newActor(t), newActor(t)
		w.does(l.Lock)
		reading := a.begin(func() error { return l.RLockFor(time.Hour) })
		runtime.Gosched()
		w.does(l.Unlock)
		require.NoError(t, <-reading)
		writing := b.begin(func() error { return l.LockBy(time.Now().Add(time.Hour)) })
		runtime.Gosched()
		a.does(l.RUnlock)
		require.NoError(t, <-writing)
		b.does(l.Unlock)
	})
}

func TestTheEndOfAContextEndsTheWaitWithItsCause(t *testing.T) {
	enough := errors.New("enough")
	forLockers(t, func(t *testing.T, v lockVariant, l Locker) {
		r, w, a := newActor(t), newActor(t), newActor(t)
		w.does(l.Lock)
		for range 20 {
			ctx, cancel := context.WithCancelCause(t.Context())
			reading := r.begin(func() error { return l.RLockContext(ctx) })
			writing := a.begin(func() error { return l.LockContext(ctx) })
			runtime.Gosched()
			cancel(enough)
			assert.ErrorIs(t, <-reading, enough)
			assert.ErrorIs(t, <-writing, enough)
		}
		w.does(l.Unlock)
		ended, cancel := context.WithCancelCause(t.Context())
		cancel(enough)
		assert.ErrorIs(t, a.try(func() error { return l.LockContext(ended) }), enough)
		assert.ErrorIs(t, a.try(func() error { return l.RLockContext(ended) }), enough)
		a.does(func() error { return l.LockContext(t.Context()) })
		a.does(l.Unlock)
		a.does(func() error { return l.RLockContext(t.Context()) })
		a.does(l.RUnlock)
	})
}

func TestAWriterWhoGivesUpLetsTheReadersInWhomHeKeptOut(t *testing.T) {
	forLockers(t, func(t *testing.T, v lockVariant, l Locker) {
		if v.overtaken {
			return
		}
		a, b, w := newActor(t), newActor(t), newActor(t)
		a.does(l.RLock)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		in := w.begin(func() error { return l.LockContext(ctx) })
		writerWaits(t, v, l)
		second := b.begin(l.RLock)
		if ours, ok := l.(*RWLock); ok {
			waiting(t, ours, 1, 1)
		}
		cancel()
		require.ErrorIs(t, <-in, context.Canceled)
		require.NoError(t, <-second, "the first reader has not left")
		a.does(l.RUnlock)
		b.does(l.RUnlock)
	})
}

func TestNoLockIsLostWhenContextsEndWhileItIsGivenBack(t *testing.T) {
	forLockers(t, func(t *testing.T, _ lockVariant, l Locker) {
		got := 0
		for i := range 100 {
			w := newActor(t)
			w.does(l.Lock)
			lock, unlock := l.RLockContext, l.RUnlock
			if i%2 == 0 {
				lock, unlock = l.LockContext, l.Unlock
			}
			ctx, cancel := context.WithCancel(t.Context())
			other := newActor(t)
			in := other.begin(func() error { return lock(ctx) })
			cancelled := make(chan struct{})
			go func() {
				cancel()
				close(cancelled)
			}()
			for range rand.N(20) {
				runtime.Gosched()
			}
			w.does(l.Unlock)
			<-cancelled
			if err := <-in; err == nil {
				got++
				other.does(unlock)
			} else {
				require.ErrorIs(t, err, context.Canceled)
			}
		}
		other := newActor(t)
		other.does(l.TryLock)
		other.does(l.Unlock)
		t.Logf("%d of 100 got it", got)
	})
}

func TestUnlockingWhatIsNotHeldIsAnError(t *testing.T) {
	forLockers(t, func(t *testing.T, _ lockVariant, l Locker) {
		if _, ok := l.(Posix); ok {
			return // undefined, and not noticed
		}
		assert.ErrorIs(t, l.RUnlock(), unix.EPERM)
		assert.ErrorIs(t, l.Unlock(), unix.EPERM)
		require.NoError(t, l.Lock())
		assert.ErrorIs(t, l.RUnlock(), unix.EPERM)
		require.NoError(t, l.Unlock())
		require.NoError(t, l.RLock())
		assert.ErrorIs(t, l.Unlock(), unix.EPERM)
		require.NoError(t, l.RUnlock())
		require.NoError(t, l.TryLock(), "it is as it was")
		require.NoError(t, l.Unlock())
	})
}
