package seats_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/posixshm"
	"unpipc/projects/internal/seats"
)

func TestMain(m *testing.M) { os.Exit(ipctest.Main(m)) }

var errEarly = errors.New("early")

// made is what makers write and guests wait for.
func format(memory []byte) error { memory[0] = 'x'; return nil }

func ready(memory []byte) error {
	switch memory[0] {
	case 'x':
		return nil
	case 0:
		return errEarly
	}
	return errors.New("something else")
}

// killed makes an object and then waits to be killed.
var _ = ipctest.Role("maker", func(args []string) int {
	if _, err := seats.Make(args[0], 4096, format); err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("made")
	for {
		unix.Pause()
	}
})

// startMaker starts a maker and waits until it has made the object.
func startMaker(t *testing.T, name string) (kill func()) {
	cmd := ipctest.Command(t, "maker", name)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line := make([]byte, 5)
	_, err = out.Read(line)
	require.NoError(t, err)
	require.Equal(t, "made\n", string(line))
	return func() {
		require.NoError(t, cmd.Process.Kill())
		assert.Error(t, cmd.Wait())
	}
}

func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

func patient(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func TestTwoMeetAndTheNameIsGone(t *testing.T) {
	name := "/" + ipctest.Name(t)
	maker, err := seats.Make(name, 4096, format)
	require.NoError(t, err)
	there, err := maker.PeerThere()
	require.NoError(t, err)
	assert.False(t, there)
	require.ErrorIs(t, maker.AwaitPeer(soon(t)), seats.ErrNobody)

	guest, err := seats.Join(patient(t), name, errEarly, ready)
	require.NoError(t, err)
	require.NoError(t, maker.AwaitPeer(patient(t)))
	assert.ErrorIs(t, posixshm.Unlink(name), unix.ENOENT)
	maker.Memory[4095] = 7
	assert.Equal(t, byte(7), guest.Memory[4095])

	require.NoError(t, guest.Close())
	gone, err := maker.PeerGone()
	require.NoError(t, err)
	assert.True(t, gone)
	require.NoError(t, maker.RemoveName())
	require.NoError(t, maker.Close())
}

func TestAGuestThatCameAndWentWhileNobodyLookedIsGone(t *testing.T) {
	name := "/" + ipctest.Name(t)
	maker, err := seats.Make(name, 4096, format)
	require.NoError(t, err)
	guest, err := seats.Join(patient(t), name, errEarly, ready)
	require.NoError(t, err)
	require.NoError(t, guest.Close())
	require.NoError(t, maker.AwaitPeer(patient(t)))
	gone, err := maker.PeerGone()
	require.NoError(t, err)
	assert.True(t, gone)
	require.NoError(t, maker.Close())
}

func TestASeatIsForOne(t *testing.T) {
	name := "/" + ipctest.Name(t)
	maker, err := seats.Make(name, 4096, format)
	require.NoError(t, err)
	_, err = seats.Make(name, 4096, format)
	require.ErrorIs(t, err, seats.ErrTaken)
	assert.ErrorContains(t, err, name)
	assert.Equal(t, byte('x'), maker.Memory[0], "the first one's object stays")
	require.NoError(t, maker.RemoveName())
	require.NoError(t, maker.Close())
}

func TestAMakerThatWasKilledIsSeenAndReplaced(t *testing.T) {
	name := "/" + ipctest.Name(t)
	kill := startMaker(t, name)
	_, err := seats.Make(name, 4096, format)
	require.ErrorIs(t, err, seats.ErrTaken, "while it lives")
	kill()
	_, err = seats.Join(soon(t), name, errEarly, ready)
	require.ErrorIs(t, err, seats.ErrNobody, "what the dead one left is nobody's")
	maker, err := seats.Make(name, 8192, format)
	require.NoError(t, err)
	assert.Len(t, maker.Memory, 8192)
	require.NoError(t, maker.RemoveName())
	require.NoError(t, maker.Close())
}

func TestAGuestSeesThatItsMakerWasKilled(t *testing.T) {
	name := "/" + ipctest.Name(t)
	kill := startMaker(t, name)
	guest, err := seats.Join(patient(t), name, errEarly, ready)
	require.NoError(t, err)
	gone, err := guest.PeerGone()
	require.NoError(t, err)
	assert.False(t, gone)
	kill()
	gone, err = guest.PeerGone()
	require.NoError(t, err)
	assert.True(t, gone)
	require.NoError(t, guest.Close())
}

func TestAnObjectOfAnotherKindIsRefused(t *testing.T) {
	name := "/" + ipctest.Name(t)
	maker, err := seats.Make(name, 4096, func(memory []byte) error { memory[0] = 'y'; return nil })
	require.NoError(t, err)
	_, err = seats.Join(patient(t), name, errEarly, ready)
	assert.EqualError(t, err, name+": something else")
	require.NoError(t, maker.RemoveName())
	require.NoError(t, maker.Close())
}

func TestWhatCannotBeMadeLeavesNoName(t *testing.T) {
	name := "/" + ipctest.Name(t)
	bad := errors.New("bad")
	_, err := seats.Make(name, 4096, func([]byte) error { return bad })
	require.ErrorIs(t, err, bad)
	assert.ErrorIs(t, posixshm.Unlink(name), unix.ENOENT)
	_, err = seats.Make(name, 1<<60, format)
	require.Error(t, err)
	assert.ErrorIs(t, posixshm.Unlink(name), unix.ENOENT)
	_, err = seats.Make("/a/b", 4096, format)
	assert.ErrorIs(t, err, unix.EINVAL)
}

func TestOfManyMakersAtOnceOneHasTheObjectAtATime(t *testing.T) {
	name := "/" + ipctest.Name(t)
	startMaker(t, name)() // something to be replaced
	var holders, turns atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				e, err := seats.Make(name, 4096, format)
				if errors.Is(err, seats.ErrTaken) {
					continue
				}
				if !assert.NoError(t, err) {
					return
				}
				assert.Equal(t, int32(1), holders.Add(1))
				turns.Add(1)
				holders.Add(-1)
				assert.NoError(t, e.RemoveName())
				assert.NoError(t, e.Close())
			}
		})
	}
	all.Wait()
	assert.Positive(t, turns.Load())
}
