// Command shm shows what becomes of a mutex in shared memory whose owner dies.
package main

import (
	"context"
	"errors"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/mmap"
	"unpipc/gobind/process"
	"unpipc/gobind/pthread"
	"unpipc/gobind/sysvshm"
	"unpipc/projects/internal/cli"
	"unpipc/projects/internal/lecture"
)

// In the memory: the mutex, and behind it a word that the child makes 1.
const (
	size       = 1024
	wordOffset = 64
)

func main() {
	p := cli.New("shm", "",
		"Makes System V shared memory with a robust mutex in it, starts a child that locks the\n"+
			"mutex and is killed, and repairs the mutex.",
		"  shm\n  shm --outside")
	key := lecture.KeyFlag(p, 11)
	outside := p.Bool("outside", false, "start no child, but wait for a shm --child")
	child := p.Int("child", -1, "be the child: lock the mutex in the memory with this `shmid`, and die")
	p.ParseFlags(os.Args[1:])
	switch {
	case p.Changed("child") && (*child < 0 || *outside):
		p.BadUsage("--child wants a shmid and nothing else")
	case *child >= 0:
		p.Exit(lockAndDie(*child))
	}
	p.Exit(run(cli.UntilSignal(), p, key, *outside))
}

func run(ctx context.Context, p *cli.Program, keyOf func() (sysvshm.Key, error), outside bool) (err error) {
	key, err := keyOf()
	if err != nil {
		return err
	}
	segment, memory, err := lecture.MakeSegment("lecture-11", key, size)
	if err != nil {
		return err
	}
	defer func() {
		if err == nil {
			err = lecture.Say("Free shmem\n")
		}
		err = errors.Join(err, segment.Remove())
	}()
	if err := lecture.Say("Created mem with id %d\n", segment.ID()); err != nil {
		return err
	}
	word, err := mmap.View[int32](memory, wordOffset)
	if err != nil {
		return err
	}
	mutex, err := pthread.InitMutex(memory[:wordOffset], pthread.MutexAttr{Robust: true, Shared: true})
	if err != nil {
		return err
	}
	if err := lecture.Say("Created mutex between processes\n"); err != nil {
		return err
	}
	if !outside {
		child, err := process.Start(&process.Cmd{Args: []string{p.Name, "--child", strconv.Itoa(segment.ID())},
			Path: "/proc/self/exe", Files: []int{0, 1, 2}})
		if err != nil {
			return err
		}
		defer func() { _, _ = child.Wait() }()
	}
	return repair(ctx, mutex, word)
}

// repair waits until the child has the mutex, and locks it: the kernel marks a robust
// mutex when its owner dies and wakes one that waits.
func repair(ctx context.Context, mutex *pthread.Mutex, word *int32) error {
	if err := lecture.Say("Parent waits for 1 in shmem\n"); err != nil {
		return err
	}
	for atomic.LoadInt32(word) != 1 {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(time.Millisecond):
		}
	}
	if err := lecture.Say("Parent tries to lock\n"); err != nil {
		return err
	}
	err := mutex.LockContext(ctx)
	if errors.Is(err, unix.EOWNERDEAD) {
		err = errors.Join(lecture.Say("Owner is dead, restore\n"), mutex.Consistent())
	} else if err == nil {
		err = errors.New("the mutex was free, though its owner had died")
	} else {
		return err
	}
	if err = errors.Join(err, mutex.Unlock()); err != nil {
		return err
	}
	if err := lecture.Say("Destroy mutex\n"); err != nil {
		return err
	}
	return mutex.Destroy()
}

func lockAndDie(id int) error {
	memory, err := sysvshm.Open(id).Attach(0)
	if err != nil {
		return err
	}
	word, err := mmap.View[int32](memory, wordOffset)
	if err != nil {
		return err
	}
	mutex, err := pthread.MutexAt(memory[:wordOffset])
	if err != nil {
		return err
	}
	if err := mutex.Lock(); err != nil {
		return err
	}
	if err := lecture.Say("Child holds a lock\n"); err != nil {
		return err
	}
	atomic.StoreInt32(word, 1)
	if err := lecture.Say("And the child dies\n"); err != nil {
		return err
	}
	_ = unix.Kill(os.Getpid(), unix.SIGKILL)
	select {}
}
