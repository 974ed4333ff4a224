package posixsem_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/posixsem"
	"unpipc/gobind/posixshm"
)

// attach maps the memory of a test in a role.
func attach(name string) []byte {
	o, err := posixshm.Open(name, unix.O_RDWR, 0)
	if err != nil {
		panic(err)
	}
	memory, err := o.Map(4096, true)
	if err != nil {
		panic(err)
	}
	return memory
}

func at(memory []byte, offset int) *posixsem.Sem {
	s, err := posixsem.At(memory[offset:])
	if err != nil {
		panic(err)
	}
	return s
}

// add adds to the number at offset 1024, with the semaphore as its lock.
func add(s *posixsem.Sem, memory []byte, count int) error {
	number := memory[1024:1032]
	for range count {
		if err := s.Wait(); err != nil {
			return err
		}
		binary.NativeEndian.PutUint64(number, binary.NativeEndian.Uint64(number)+1)
		if err := s.Post(); err != nil {
			return err
		}
	}
	return nil
}

var _ = ipctest.Role("turns", func(args []string) int {
	memory := attach(args[0])
	there, back := ways[args[2]](at(memory, 0)), ways[args[2]](at(memory, 64))
	count, _ := strconv.Atoi(args[1])
	for range count {
		if err := errors.Join(there.Wait(), back.Post()); err != nil {
			panic(err)
		}
	}
	return 0
})

var _ = ipctest.Role("add", func(args []string) int {
	memory := attach(args[0])
	count, _ := strconv.Atoi(args[1])
	if err := add(at(memory, 0), memory, count); err != nil {
		panic(err)
	}
	return 0
})

func TestProcessesTakeTurns(t *testing.T) {
	const count = 2000
	peers := map[string]func(t *testing.T, name string) (stop func()){
		"C": func(t *testing.T, name string) func() {
			c := inC(t, "map "+name, "at 64", "at 0", fmt.Sprint("turns ", count))
			return func() { assert.Equal(t, []string{"0", "0", "0", "0"}, c.Rest()) }
		},
	}
	for way := range ways {
		peers["Go "+way] = func(t *testing.T, name string) func() {
			other := ipctest.Command(t, "turns", name, strconv.Itoa(count), way)
			other.Stderr = os.Stderr
			require.NoError(t, other.Start())
			return func() { require.NoError(t, other.Wait()) }
		}
	}
	for peer, start := range peers {
		t.Run("with "+peer, func(t *testing.T) {
			eachWay(t, func(t *testing.T, way func(*posixsem.Sem) *posixsem.Sem) {
				memory, name := shared(t)
				there, err := posixsem.Init(memory, 0)
				require.NoError(t, err)
				back, err := posixsem.Init(memory[64:], 0)
				require.NoError(t, err)
				stop := start(t, name)
				for i := range count {
					require.NoError(t, way(there).Post())
					if i%2 == 0 {
						require.NoError(t, way(back).Wait())
					} else {
						require.NoError(t, way(back).WaitContext(t.Context()))
					}
				}
				stop()
				assert.Zero(t, value(t, there)+value(t, back))
			})
		})
	}
}

// The number is right only if nobody enters while another is inside, whichever way
// each of them makes its calls.
func TestOneIsInsideAmongGoroutinesAndProcessesInGoAndC(t *testing.T) {
	const each = 20_000
	memory, name := shared(t)
	s, err := posixsem.Init(memory, 1)
	require.NoError(t, err)
	c := inC(t, "map "+name, "at 0", fmt.Sprint("add ", each))
	other := ipctest.Command(t, "add", name, strconv.Itoa(each))
	other.Stderr = os.Stderr
	require.NoError(t, other.Start())
	var running sync.WaitGroup
	for _, way := range ways {
		for range 2 {
			running.Go(func() { assert.NoError(t, add(way(s), memory, each)) })
		}
	}
	running.Wait()
	assert.Equal(t, []string{"0", "0", "0"}, c.Rest())
	require.NoError(t, other.Wait())
	assert.Equal(t, uint64(6*each), binary.NativeEndian.Uint64(memory[1024:]))
	assert.Equal(t, 1, value(t, s))
}

var _ = ipctest.Role("take", func(args []string) int {
	s, err := posixsem.Open(args[0], 0, 0, 0)
	if err != nil || s.Wait() != nil {
		return 1
	}
	fmt.Println("0\n0")
	unix.Read(0, make([]byte, 1))
	return 0
})

// takenAndKilled kills a process that takes 1 when it has.
func takenAndKilled(t *testing.T, p *ipctest.Peer) {
	t.Helper()
	require.Equal(t, []string{"0", "0"}, p.Lines(2))
	p.Kill()
}

// A semaphore has no owner: nobody gives back what a dead process has taken.
func TestWhatAKilledProcessHasTakenIsLost(t *testing.T) {
	s := named(t, 2)
	takenAndKilled(t, inC(t, "open "+s.Name()+" - 0 0", "wait", "stay"))
	assert.Equal(t, 1, value(t, s))
	takenAndKilled(t, ipctest.Start(t, ipctest.Command(t, "take", s.Name())))
	assert.Equal(t, 0, value(t, s))
	assert.ErrorIs(t, s.TryWait(), unix.EAGAIN)
	require.NoError(t, s.Post(), "who knows of it may put it back")
	require.NoError(t, s.TryWait())
}

// One who is killed in its sleep has taken nothing, and its count among the waiters
// costs a wake-up that wakes nobody, no more.
func TestASleeperThatIsKilledTakesNothing(t *testing.T) {
	s := named(t, 0)
	c := inC(t, "open "+s.Name()+" - 0 0", "wait")
	ipctest.Eventually(t, func() bool {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/syscall", c.Process.Pid))
		var number int
		_, err := fmt.Sscan(string(text), &number)
		return err == nil && number == unix.SYS_FUTEX
	}, "it sleeps in sem_wait")
	c.Kill()
	require.NoError(t, s.Post())
	assert.Equal(t, 1, value(t, s))
	ended := make(chan error)
	require.NoError(t, s.Wait())
	go func() { ended <- s.Wait() }()
	asleep(t, 1)
	require.NoError(t, s.Post())
	require.NoError(t, <-ended)
}

var _ = ipctest.Role("which way", func([]string) int {
	if posixsem.Direct() {
		return 1
	}
	return 0
})

func TestEveryCallIsLibcsOnDemand(t *testing.T) {
	assert.True(t, posixsem.Direct(), "glibc's semaphore is as this package knows it")
	cmd := ipctest.Command(t, "which way")
	cmd.Env = append(os.Environ(), "UNPIPC_POSIXSEM=libc")
	assert.NoError(t, cmd.Run())
	assert.Error(t, ipctest.Command(t, "which way").Run())
}
