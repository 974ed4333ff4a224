package p07prodcons

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/pthread"
)

// guest is the run of another process.
type guest struct {
	*monitor
	name  string
	owner int // pidfd
}

var errOwnerDead = errors.New("the process that began the run is dead")

// Member is one producer or consumer of a run of processes, whose owner has started this
// one for it.
func Member(name string, me int, quiet bool) error {
	g, err := attach(name, 0)
	if err != nil {
		return err
	}
	if me < 0 || me >= int(g.members) {
		return fmt.Errorf("%s: no member %d", name, me)
	}
	return g.takePart([]int{me}, quiet)
}

// Join adds producers and consumers to the run of this name, when it is there, until
// there are no more items.
func Join(name string, count [2]int, quiet bool, patience time.Duration) error {
	g, err := attach(name, patience)
	if err != nil {
		return err
	}
	var members []int
	full := false
	g.do(func() {
		for _, kind := range []Kind{Producer, Consumer} {
			for range count[kind] {
				me, ok := g.join(kind, os.Getpid())
				if !ok {
					full = true
					g.stopRun(died) // the run cannot go on without those that have joined
					return
				}
				members = append(members, me)
			}
		}
	})
	if full {
		return fmt.Errorf("%s: %w", name, unix.EAGAIN)
	}
	return g.takePart(members, quiet)
}

// takePart runs members to their end. It returns before that if the owner is gone: they
// may hang for ever in the mutex or a condition that a killed process has left in
// disorder, and the caller is to end the process.
func (g *guest) takePart(members []int, quiet bool) error {
	left, ended := make(chan struct{}), make(chan struct{})
	var threads []*pthread.Thread
	for _, me := range members {
		threads = append(threads, pthread.Go(func() { g.monitor.takePart(me, quiet) }))
	}
	go func() {
		defer close(left)
		for _, t := range threads {
			t.Join()
		}
	}()
	go func() {
		defer close(ended)
		fds := []unix.PollFd{{Fd: int32(g.owner), Events: unix.POLLIN}}
		for {
			if _, err := unix.Poll(fds, -1); err != unix.EINTR {
				return
			}
		}
	}()
	select {
	case <-left:
	case <-ended:
		for _, me := range members {
			if g.member[me].gone != 0 {
				continue
			}
			if g.stop == died {
				return fmt.Errorf("%s: %v", g.name, died)
			}
			return fmt.Errorf("%s: %w", g.name, errOwnerDead)
		}
	}
	if g.stop != goesOn {
		return fmt.Errorf("%s: %v", g.name, g.stop)
	}
	return nil
}
