package reclock

import (
	"context"
	"os"

	"golang.org/x/sys/unix"
)

// byteState is one byte as this process has it. It is guarded by Manager.mu, and is there
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

// state is the byte's, with Manager.mu held.
func (m *Manager) state(offset int64) *byteState {
	s := m.bytes[offset]
	if s == nil {
		s = &byteState{}
		m.bytes[offset] = s
	}
	return s
}

// enter takes the lock (held) or the turn to ask for it (ask) if that needs no waiting,
// with Manager.mu held.
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

// advance serves those who wait, with Manager.mu held.
func (m *Manager) advance(offset int64, s *byteState) {
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
		delete(m.bytes, offset)
	}
}

// acquire locks one byte. ctx may end the waiting for other goroutines and for other
// processes.
func (m *Manager) acquire(ctx context.Context, kind Kind, offset int64) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	m.mu.Lock()
	s := m.state(offset)
	held, ask := s.enter(kind)
	if held || ask {
		m.mu.Unlock()
	} else {
		w := &waiter{kind, make(chan bool, 1)}
		s.waiting = append(s.waiting, w)
		m.mu.Unlock()
		select {
		case held = <-w.turn:
		case <-ctx.Done():
			if err := m.leave(ctx, offset, s, w); err != nil {
				return err
			}
			held = true
		}
	}
	if held {
		return nil
	}
	return m.asked(offset, s, kind, Process.LockContext(ctx, m.fd, kind, Bytes(offset, 1)))
}

// leave takes a waiter out whose context has ended. nil: it had got the lock already.
func (m *Manager) leave(ctx context.Context, offset int64, s *byteState, w *waiter) error {
	m.mu.Lock()
	defer m.mu.Unlock()
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
	m.advance(offset, s)
	return context.Cause(ctx)
}

// asked notes the kernel's answer to the goroutine that asked.
func (m *Manager) asked(offset int64, s *byteState, kind Kind, err error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	s.asking = false
	if err == nil {
		s.kind, s.holders = kind, 1
	}
	m.advance(offset, s)
	return err
}

func (m *Manager) try(kind Kind, offset int64) error {
	m.mu.Lock()
	s := m.state(offset)
	held, ask := s.enter(kind)
	m.mu.Unlock()
	switch {
	case held:
		return nil
	case ask:
		return m.asked(offset, s, kind, Process.TryLock(m.fd, kind, Bytes(offset, 1)))
	}
	return os.NewSyscallError("fcntl", unix.EAGAIN)
}

func (m *Manager) release(offset int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.bytes[offset]
	if s == nil || s.holders == 0 {
		panic("reclock: unlock of a byte that is not locked")
	}
	var err error
	if s.holders--; s.holders == 0 {
		// Before anybody else here may ask for it. It does not sleep.
		err = Process.Unlock(m.fd, Bytes(offset, 1))
	}
	m.advance(offset, s)
	return err
}
