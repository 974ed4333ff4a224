package p08rwlock

import (
	"context"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestTheFairLockIsTakenInTheOrderOfArrival(t *testing.T) {
	l := private(Fair)(t).(*RWLock)
	first := newActor(t)
	first.does(l.Lock)
	kinds := []Kind{Reader, Reader, Writer, Reader, Writer, Writer, Reader, Reader, Reader}
	actors := make([]*actor, len(kinds))
	in := make([]<-chan error, len(kinds))
	var wait [2]int
	for i, kind := range kinds {
		actors[i] = newActor(t)
		in[i] = actors[i].begin([]func() error{l.RLock, l.Lock}[kind])
		wait[kind]++
		waiting(t, l, wait[Reader], wait[Writer])
	}
	first.does(l.Unlock)
	for i := 0; i < len(kinds); {
		// Readers one behind the other are in together, a writer alone.
		end := i + 1
		for kinds[i] == Reader && end < len(kinds) && kinds[end] == Reader {
			end++
		}
		for _, result := range in[i:end] {
			require.NoError(t, <-result)
		}
		for _, result := range in[end:] {
			notYet(t, result)
		}
		for _, a := range actors[i:end] {
			a.does([]func() error{l.RUnlock, l.Unlock}[kinds[i]])
		}
		i = end
	}
}

func TestOneWhoGivesUpLeavesTheMiddleOfTheQueue(t *testing.T) {
	l := private(Fair)(t).(*RWLock)
	first, a, b, c := newActor(t), newActor(t), newActor(t), newActor(t)
	first.does(l.RLock)
	ctx, cancel := context.WithCancel(t.Context())
	ahead := a.begin(l.Lock)
	waiting(t, l, 0, 1)
	givesUp := b.begin(func() error { return l.LockContext(ctx) })
	waiting(t, l, 0, 2)
	behind := c.begin(l.RLock)
	waiting(t, l, 1, 2)
	cancel()
	require.ErrorIs(t, <-givesUp, context.Canceled)
	waiting(t, l, 1, 1)
	notYet(t, behind)
	first.does(l.RUnlock)
	require.NoError(t, <-ahead)
	notYet(t, behind)
	a.does(l.Unlock)
	require.NoError(t, <-behind)
	c.does(l.RUnlock)
}

func TestTheQueueIsAListOfPlacesThatAreUsedAgain(t *testing.T) {
	l := private(Fair)(t).(*RWLock)
	var want []uint16
	for range 20000 {
		if len(want) > 0 && rand.N(2) == 0 {
			at := rand.N(len(want))
			l.leave(want[at])
			l.m.place[want[at]].next, l.m.free = l.m.free, want[at]
			want = slices.Delete(want, at, at+1)
		} else if i, ok := l.join(Kind(rand.N(2))); ok {
			want = append(want, i)
		} else {
			require.Len(t, want, places)
		}
		if rand.N(100) == 0 {
			var found, back []uint16
			for i := l.m.head; i != nobody; i = l.m.place[i].next {
				found = append(found, i)
			}
			for i := l.m.tail; i != nobody; i = l.m.place[i].prev {
				back = append(back, i)
			}
			slices.Reverse(back)
			require.True(t, slices.Equal(want, found), "%v, not %v", found, want)
			require.True(t, slices.Equal(want, back), "%v, not %v", back, want)
		}
	}
	assert.Equal(t, len(want), int(l.m.waiting[Reader]+l.m.waiting[Writer]))
	for _, i := range want {
		l.leave(i)
	}
}

func TestMoreThanThereArePlacesForIsAnError(t *testing.T) {
	l := private(Fair)(t).(*RWLock)
	require.NoError(t, l.Lock())
	for range places {
		_, ok := l.join(Reader)
		require.True(t, ok)
	}
	assert.ErrorIs(t, l.RLock(), unix.EAGAIN)
	assert.ErrorIs(t, l.TryRLock(), unix.EBUSY)
	assert.ErrorIs(t, l.Destroy(), unix.EBUSY)
	for l.m.head != nobody {
		l.leave(l.m.head)
	}
	require.NoError(t, l.Unlock())
}

func TestALockIsMadeOnlyInMemoryThatFits(t *testing.T) {
	memory := sharedMemory(t, Size+Alignment)
	for what, bad := range map[string][]byte{
		"none":        nil,
		"too small":   memory[:Size-1],
		"not aligned": memory[1:],
	} {
		_, err := Init(bad, Attr{Policy: Fair})
		assert.ErrorIs(t, err, unix.EINVAL, what)
		_, err = At(bad)
		assert.ErrorIs(t, err, unix.EINVAL, what)
	}
	_, err := At(memory)
	assert.ErrorIs(t, err, unix.EINVAL, "nobody has made one")
	_, err = Init(memory, Attr{})
	assert.ErrorIs(t, err, unix.EINVAL, "no policy")
	_, err = New(7)
	var call *os.SyscallError
	require.ErrorAs(t, err, &call)

	l, err := Init(memory[Alignment:], Attr{Policy: PreferWriter})
	require.NoError(t, err)
	same, err := At(memory[Alignment:])
	require.NoError(t, err)
	assert.Equal(t, PreferWriter, same.Policy())
	require.NoError(t, l.Lock())
	assert.ErrorIs(t, same.TryRLock(), unix.EBUSY)
	assert.ErrorIs(t, same.Destroy(), unix.EBUSY)
	require.NoError(t, same.Unlock(), "it has no owner")
	require.NoError(t, same.Destroy())
	_, err = At(memory[Alignment:])
	assert.ErrorIs(t, err, unix.EINVAL, "it is destroyed")
}

func TestTheLayoutIsTheOneOfTheHeader(t *testing.T) {
	assert.Equal(t, 64*(4+turns), int(unsafe.Offsetof(layout{}.place)))
	assert.Equal(t, 9472, Size)
	assert.Equal(t, 9792, boardSize)
	assert.Equal(t, 64*(1+FutexSlots), FutexSize)
}

func TestPoliciesHaveNames(t *testing.T) {
	for policy, name := range policies {
		found, err := ParsePolicy(name)
		require.NoError(t, err)
		assert.Equal(t, policy, found)
		assert.Equal(t, name, policy.String())
	}
	_, err := ParsePolicy("none")
	assert.Error(t, err)
	assert.Equal(t, "policy 9", Policy(9).String())
	assert.Equal(t, "reader", Reader.String())
}
