package sysvsem_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
	"unpipc/gobind/posixshm"
	"unpipc/gobind/sysvsem"
)

// counter is memory with a number that processes add to.
func counter(t *testing.T) (memory []byte, name string) {
	t.Helper()
	name = "/" + ipctest.Name(t)
	o, err := posixshm.Open(name, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL, 0o600)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, posixshm.Unlink(name)) })
	require.NoError(t, o.Allocate(4096))
	memory, err = o.Map(4096, true)
	require.NoError(t, err)
	require.NoError(t, o.Close())
	t.Cleanup(func() { assert.NoError(t, posixshm.Unmap(memory)) })
	return memory, name
}

// add adds to the number, with semaphore 0 as its lock.
func add(s *sysvsem.Set, memory []byte, count int) error {
	for i := range count {
		flags := int16(i % 2 * sysvsem.Undo)
		if err := s.Do(sysvsem.Op{Add: -1, Flags: flags}); err != nil {
			return err
		}
		binary.NativeEndian.PutUint64(memory, binary.NativeEndian.Uint64(memory)+1)
		if err := s.Do(sysvsem.Op{Add: 1, Flags: flags}); err != nil {
			return err
		}
	}
	return nil
}

var _ = ipctest.Role("add", func(args []string) int {
	id, _ := strconv.Atoi(args[0])
	count, _ := strconv.Atoi(args[2])
	o, err := posixshm.Open(args[1], unix.O_RDWR, 0)
	if err != nil {
		panic(err)
	}
	memory, err := o.Map(4096, true)
	if err != nil {
		panic(err)
	}
	if err := add(sysvsem.Open(id), memory, count); err != nil {
		panic(err)
	}
	return 0
})

func TestOneIsInsideAmongGoroutinesAndProcessesInGoAndC(t *testing.T) {
	const each = 5000
	memory, name := counter(t)
	s := newSet(t, 1)
	c := inC(t, fmt.Sprint("id ", s.ID()), fmt.Sprintf("add %s %d", name, each))
	other := ipctest.Command(t, "add", strconv.Itoa(s.ID()), name, strconv.Itoa(each))
	other.Stderr = os.Stderr
	require.NoError(t, other.Start())
	var running sync.WaitGroup
	for range 2 {
		running.Go(func() { assert.NoError(t, add(s, memory, each)) })
	}
	running.Wait()
	assert.Equal(t, []string{"0", "0"}, c.Rest())
	require.NoError(t, other.Wait())
	assert.Equal(t, uint64(4*each), binary.NativeEndian.Uint64(memory))
	assert.Equal(t, []int{1}, values(t, s))
}

func TestGoAndCTakeTurns(t *testing.T) {
	const count = 2000
	s := newSet(t, 0, 0)
	c := inC(t, fmt.Sprint("id ", s.ID()), fmt.Sprint("turns ", count))
	for range count {
		require.NoError(t, s.Do(op(0, 1)))
		require.NoError(t, s.DoContext(t.Context(), op(1, -1)))
	}
	assert.Equal(t, []string{"0", "0"}, c.Rest())
	assert.Equal(t, []int{0, 0}, values(t, s))
}

// Takes, says so, and stays until it is told to end, or is killed.
var _ = ipctest.Role("hold", func(args []string) int {
	id, _ := strconv.Atoi(args[0])
	s := sysvsem.Open(id)
	// On one thread of several, which ends: the undoing is the process's.
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		done <- s.Do(undone(0, -2), op(1, -1))
	}()
	if err := <-done; err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("0\n0")
	unix.Read(0, make([]byte, 1))
	return 0
})

func TestUndoGivesBackWhatAProcessHeldWhenItEnded(t *testing.T) {
	holders := map[string]func(t *testing.T, id string) *ipctest.Peer{
		"C": func(t *testing.T, id string) *ipctest.Peer {
			return inC(t, "id "+id, "op 0:-2:u 1:-1:-", "stay")
		},
		"Go": func(t *testing.T, id string) *ipctest.Peer {
			return ipctest.Start(t, ipctest.Command(t, "hold", id))
		},
	}
	ends := map[string]os.Signal{"killed": unix.SIGKILL, "ended": unix.SIGTERM}
	for language, start := range holders {
		for how, end := range ends {
			t.Run(language+" "+how, func(t *testing.T) {
				s := newSet(t, 3, 1)
				holder := start(t, strconv.Itoa(s.ID()))
				require.Equal(t, []string{"0", "0"}, holder.Lines(2))
				assert.Equal(t, []int{1, 0}, values(t, s))
				done := make(chan error, 1)
				go func() { done <- s.Do(op(0, -3)) }()
				ipctest.Asleep(t, unix.SYS_SEMOP, 1)
				require.NoError(t, holder.Process.Signal(end))
				require.NoError(t, <-done, "the undoing wakes who waits for it")
				assert.Equal(t, []int{0, 0}, values(t, s), "what was taken without Undo is lost")
			})
		}
	}
}

func TestTheEndOfAThreadUndoesNothing(t *testing.T) {
	s := newSet(t, 1)
	tid := make(chan int)
	go func() {
		runtime.LockOSThread() // and ends so: the thread with it, if it is not the first
		assert.NoError(t, s.Do(undone(0, -1)))
		tid <- unix.Gettid()
	}()
	thread := <-tid
	if thread != os.Getpid() {
		ipctest.Eventually(t, func() bool {
			_, err := os.Stat(fmt.Sprintf("/proc/self/task/%d", thread))
			return err != nil
		}, "the thread ends")
	}
	assert.Equal(t, []int{0}, values(t, s))
	require.NoError(t, s.Do(undone(0, 1)))
}

func TestSettingAValueForgetsWhatWasToBeUndone(t *testing.T) {
	for what, set := range map[string]func(s *sysvsem.Set) error{
		"one value":  func(s *sysvsem.Set) error { return s.SetValue(0, 7) },
		"all values": func(s *sysvsem.Set) error { return s.SetValues(7, 0) },
	} {
		s := newSet(t, 3, 0)
		c := inC(t, fmt.Sprint("id ", s.ID()), "op 0:-2:u", "op 1:-1:-")
		ipctest.Eventually(t, func() bool {
			n, err := s.WaitingForMore(1)
			return err == nil && n == 1
		}, "it has taken and waits")
		require.NoError(t, set(s), what)
		c.Kill()
		assert.Equal(t, []int{7, 0}, values(t, s), what)
	}
}
