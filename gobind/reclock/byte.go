package reclock

import (
	"context"
	"os"

	"golang.org/x/sys/unix"
)

// byteState is one byte as this process has it. It is guarded by Table.mu, and is there
// for as long as somebody holds the byte, asks the kernel for it, or waits.
type byteState struct {
	kind    Kind // of the lock, if there are holders
	holders int
	asking  bool // a goroutine is in the kernel for it
	waiting []*waiter
}

type waiter struct {
	kind Kind
	// turn says what the waiter has got: the lock (true), or its turn to ask the kernel.
	turn chan bool
}

// state is the byte's, with Table.mu held.
func (t *Table) state(offset int64) *byteState {
	s := t.bytes[offset]
	if s == nil {
		s = &byteState{}
		t.bytes[offset] = s
	}
	return s
}

// enter takes the lock (held) or the turn to ask for it (ask) if that needs no waiting,
// with Table.mu held.
func (s *byteState) enter(kind Kind) (held, ask bool) {
	switch {
	case s.asking || len(s.waiting) > 0:
		return false, false
	case s.holders == 0:
		s.asking = true
		return false, true
	case kind == Read && s.kind == Read:
		s.holders++
		return true, false
	}
	return false, false
}

// advance serves those who wait, with Table.mu held.
func (t *Table) advance(offset int64, s *byteState) {
	for len(s.waiting) > 0 && !s.asking {
		w := s.waiting[0]
		switch {
		case s.holders == 0:
			s.asking = true
			w.turn <- false
		case s.kind == Read && w.kind == Read:
			s.holders++
			w.turn <- true
		default:
			return
		}
		s.waiting = s.waiting[1:]
	}
	if s.holders == 0 && !s.asking {
		delete(t.bytes, offset)
	}
}

// acquire locks one byte. ctx may end the waiting for other goroutines and for other
// processes.
func (t *Table) acquire(ctx context.Context, kind Kind, offset int64) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	t.mu.Lock()
	s := t.state(offset)
	held, ask := s.enter(kind)
	if held || ask {
		t.mu.Unlock()
	} else {
		w := &waiter{kind, make(chan bool, 1)}
		s.waiting = append(s.waiting, w)
		t.mu.Unlock()
		select {
		case held = <-w.turn:
		case <-ctx.Done():
			if err := t.leave(ctx, offset, s, w); err != nil {
				return err
			}
			held = true
		}
	}
	if held {
		return nil
	}
	return t.asked(offset, s, kind, Process.LockContext(ctx, t.fd, kind, Bytes(offset, 1)))
}

// leave takes a waiter out whose context has ended. nil: it had got the lock already.
func (t *Table) leave(ctx context.Context, offset int64, s *byteState, w *waiter) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case held := <-w.turn:
		if held {
			return nil
		}
		s.asking = false
	default:
		for i := range s.waiting {
			if s.waiting[i] == w {
				s.waiting = append(s.waiting[:i:i], s.waiting[i+1:]...)
				break
			}
		}
	}
	t.advance(offset, s)
	return context.Cause(ctx)
}

// asked notes the kernel's answer to the goroutine that asked.
func (t *Table) asked(offset int64, s *byteState, kind Kind, err error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	s.asking = false
	if err == nil {
		s.kind, s.holders = kind, 1
	}
	t.advance(offset, s)
	return err
}

func (t *Table) try(kind Kind, offset int64) error {
	t.mu.Lock()
	s := t.state(offset)
	held, ask := s.enter(kind)
	t.mu.Unlock()
	switch {
	case held:
		return nil
	case ask:
		return t.asked(offset, s, kind, Process.TryLock(t.fd, kind, Bytes(offset, 1)))
	}
	return os.NewSyscallError("fcntl", unix.EAGAIN)
}

func (t *Table) release(offset int64) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.bytes[offset]
	if s == nil || s.holders == 0 {
		panic("reclock: unlock of a byte that is not locked")
	}
	var err error
	if s.holders--; s.holders == 0 {
		// Before anybody else here may ask for it. It does not sleep.
		err = Process.Unlock(t.fd, Bytes(offset, 1))
	}
	t.advance(offset, s)
	return err
}
