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

// Member is one producer or consumer of the run of processes with the name in o, whose owner
// has started this one for it, to be on this CPU if it is not -1.
func Member(o Options, me, cpu int) error {
	g, err := attach(o.Name, 0)
	if err != nil {
		return err
	}
	if me < 0 || me >= int(g.members) {
		return fmt.Errorf("%s: no member %d", o.Name, me)
	}
	g.turn, g.cpu = o.Turn, cpu
	return g.takePart([]int{me}, o.Quiet, g.ownersEnd())
}

// Join adds producers and consumers to the run of this name, when it is there, until there
// are no more items. Of o it is Name, Count, Quiet, Turn and OneCPU that matter: the rest is
// as the run's owner has it.
func Join(o Options, patience time.Duration) error {
	g, err := attach(o.Name, patience)
	if err != nil {
		return err
	}
	g.turn = o.Turn
	if o.OneCPU {
		if g.cpu, err = currentCPU(); err != nil {
			return err
		}
	}
	ended, joined := g.ownersEnd(), make(chan []int, 1)
	go func() { joined <- g.joinAs(o.Count) }()
	select {
	case members := <-joined:
		if members == nil {
			return fmt.Errorf("%s: %w", o.Name, unix.EAGAIN)
		}
		return g.takePart(members, o.Quiet, ended)
	case <-ended: // the mutex may be lost
		return fmt.Errorf("%s: %w", o.Name, errOwnerDead)
	}
}

// joinAs adds members; nil if there is no room for all of them.
func (g *guest) joinAs(count [2]int) (members []int) {
	g.do(func() {
		for _, kind := range []Kind{Producer, Consumer} {
			for range count[kind] {
				me, ok := g.join(kind, os.Getpid())
				if !ok {
					members = nil
					g.stopRun(died) // the run cannot go on without those that have joined
					return
				}
				members = append(members, me)
			}
		}
	})
	return members
}

// ownersEnd is closed when the owner of the run is gone.
func (g *guest) ownersEnd() <-chan struct{} {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		fds := []unix.PollFd{{Fd: int32(g.owner), Events: unix.POLLIN}}
		for {
			if _, err := unix.Poll(fds, -1); err != unix.EINTR {
				return
			}
		}
	}()
	return ended
}

// takePart runs members to their end. It returns before that if the owner is gone: they
// may hang for ever in the mutex or a condition that a killed process has left in
// disorder, and the caller is to end the process.
func (g *guest) takePart(members []int, quiet bool, ended <-chan struct{}) error {
	left := make(chan struct{})
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
	select {
	case <-left:
		if g.failed != nil {
			return g.failed
		}
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
