package pthread_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/pthread"
)

// pair is a robust mutex and two words, which are equal whenever it is free.
type pair struct {
	*pthread.Mutex
	words *[2]int64
}

// Where pairs are in shared memory: the mutex, and the words.
const (
	pairs    = 3
	pairsAt  = 1024
	pairSize = 128
	wordsAt  = 64
)

func pairIn(memory []byte, i int) pair {
	at := memory[pairsAt+i*pairSize:]
	m, err := pthread.MutexAt(at)
	if err != nil {
		panic(err)
	}
	return pair{m, (*[2]int64)(unsafe.Pointer(&at[wordsAt]))}
}

// lock repairs what the dead left, who are believed to have begun.
func (p pair) lock() (died bool, err error) {
	if err = p.Lock(); errors.Is(err, unix.EOWNERDEAD) {
		p.words[1] = p.words[0]
		return true, p.Consistent()
	}
	return false, err
}

func (p pair) grow() error {
	if p.words[0] != p.words[1] {
		return fmt.Errorf("the words are %d", *p.words)
	}
	p.words[0]++
	p.words[1]++
	return nil
}

// times has both words grow so often; deaths are those of owners.
func (p pair) times(n int) (deaths int, err error) {
	for range n {
		died, err := p.lock()
		if died {
			deaths++
		}
		if err = errors.Join(err, p.grow(), p.Unlock()); err != nil {
			return deaths, err
		}
	}
	return deaths, nil
}

// A victim locks all pairs and unlocks them in any order, until it is killed. Nobody else dies.
var _ = ipctest.Role("victim", func(args []string) int {
	memory := attached(args[0])
	var all [pairs]pair
	for i := range all {
		all[i] = pairIn(memory, i)
	}
	fmt.Println("begins")
	for {
		for _, p := range all {
			if err := p.Lock(); err != nil {
				fmt.Println(err)
				return 1
			}
		}
		for _, i := range rand.Perm(pairs) {
			if err := errors.Join(all[i].grow(), all[i].Unlock()); err != nil {
				fmt.Println(err)
				return 1
			}
		}
	}
})

// startVictim starts one that is busy at all pairs, or in C at the first.
func startVictim(t *testing.T, object, language string) *process {
	t.Helper()
	if language == "C" {
		victim := inC(t, object)
		victim.begin("mutex_pairs %d %d 1000000000", pairsAt, pairsAt+wordsAt)
		return victim
	}
	victim := start(t, ipctest.Command(t, "victim", object))
	require.Equal(t, "begins", victim.Line())
	return victim
}

func TestAnOwnerIsKilledAtAnyInstant(t *testing.T) {
	for name, attr := range map[string]pthread.MutexAttr{
		"normal":     {Robust: true, Shared: true},
		"errorcheck": {Robust: true, Shared: true, Kind: pthread.ErrorCheck},
		"recursive":  {Robust: true, Shared: true, Kind: pthread.Recursive},
	} {
		for _, language := range []string{"Go", "C"} {
			t.Run(name+", in "+language, func(t *testing.T) {
				memory, object := shared(t)
				for i := range pairs {
					_, err := pthread.InitMutex(memory[pairsAt+i*pairSize:], attr)
					require.NoError(t, err)
				}
				first := pairIn(memory, 0)
				heir := inC(t, object)
				deaths := 0
				for round := range 30 {
					victim := startVictim(t, object, language)
					// Another one is at the first mutex meanwhile, now and then asleep. Not two: the
					// kernel wakes who sleeps for a mutex that its last owner, dead, has unlocked only
					// if no third one has locked it since, whether by libc or not.
					var inC func() int
					var inGo <-chan error
					if round%2 == 0 {
						inC = heir.begin("mutex_pairs %d %d 1000", pairsAt, pairsAt+wordsAt)
					} else {
						inGo = background(func() error { _, err := first.times(1000); return err })
					}
					time.Sleep(rand.N(2 * time.Millisecond))
					victim.Kill()
					if round%2 == 0 {
						require.Zero(t, inC())
					} else {
						require.NoError(t, <-inGo)
					}
					for i := range pairs {
						p := pairIn(memory, i)
						if i == 1 {
							p.Mutex = p.Libc()
						}
						died, err := p.times(1)
						require.NoError(t, err)
						deaths += died
						heir.ok("mutex_pairs %d %d 1", pairsAt+i*pairSize, pairsAt+i*pairSize+wordsAt)
						died, err = p.times(1)
						require.NoError(t, err)
						require.Zero(t, died, "nobody died since")
					}
				}
				assert.True(t, deaths > 0 || language == "C", "some died with a mutex")
			})
		}
	}
}

// One that is ready for any order, with a mutex of another kind in the same list.
func TestRobustMutexesHeldAtOnceAreUnlockedInAnyOrder(t *testing.T) {
	attrs := []pthread.MutexAttr{
		{Robust: true}, {Robust: true, Protocol: pthread.Inherit}, {Robust: true, Shared: true, Kind: pthread.ErrorCheck},
		{Robust: true, Kind: pthread.Recursive}, {Robust: true, Protocol: pthread.Inherit, Kind: pthread.Recursive}, {Robust: true},
	}
	var all [][2]*pthread.Mutex
	for _, attr := range attrs {
		m := newMutex(t, attr)
		all = append(all, [2]*pthread.Mutex{m, m.Libc()})
	}
	either := func(i int) *pthread.Mutex { return all[i][rand.N(2)] }
	for round := range 100 {
		kept := rand.N(len(all) + 1)
		order := rand.Perm(len(all))
		var said string
		pthread.Go(func() {
			for _, i := range rand.Perm(len(all)) {
				assert.NoError(t, either(i).Lock())
				said += " +" + strconv.Itoa(i)
			}
			for _, i := range order[kept:] {
				assert.NoError(t, either(i).Unlock())
				said += " -" + strconv.Itoa(i)
				if rand.N(2) == 0 { // another way through the list
					assert.NoError(t, either(i).Lock())
					assert.NoError(t, either(i).Unlock())
				}
			}
		}).Join()
		for place, i := range order {
			m := either(i)
			err := m.TryLock()
			if place < kept {
				require.ErrorIs(t, err, unix.EOWNERDEAD, "round %d: %d after%s", round, i, said)
				require.NoError(t, m.Consistent())
			} else {
				require.NoError(t, err, "round %d: %d after%s", round, i, said)
			}
			require.NoError(t, either(i).Unlock())
		}
	}
}

func TestAListOfMutexesIsUsedOnlyWhereItIs(t *testing.T) {
	if !pthread.ThreadsKnown() {
		return // another test says when
	}
	assert.True(t, pthread.RobustKnownAt(0))
	for _, off := range []int{-8, 8, 64} {
		assert.False(t, pthread.RobustKnownAt(off), "%d bytes from there", off)
	}
}
