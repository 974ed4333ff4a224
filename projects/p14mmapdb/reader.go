package p14mmapdb

import (
	"context"
	"fmt"
	"os"

	"unpipc/gobind/reclock"
)

// ErrReaders is in the error for more readers at a time than the lock file has slots.
var ErrReaders = fmt.Errorf("more than %d readers", lockSlots)

// enter makes this handle a reader. slot is -1 for one that keeps writers out instead.
func (s *session) enter() (slot int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.readOnly {
		if s.plain == 0 {
			if err := s.lock(context.Background(), reclock.Read, writerByte); err != nil {
				return 0, err
			}
		}
		s.plain++
		return -1, nil
	}
	if n := len(s.idle); n > 0 {
		slot = s.idle[n-1]
		s.idle = s.idle[:n-1]
		return slot, nil
	}
	return s.claim()
}

// claim gets a slot that nobody has, with mu held: one of whose death nobody knows yet will do.
func (s *session) claim() (int, error) {
	for i := range lockSlots {
		if s.own[i] {
			continue
		}
		free, err := s.tryLock(reclock.Write, slotByte+int64(i))
		if err != nil {
			return 0, err
		}
		if !free {
			continue
		}
		s.own[i] = true
		s.slot(i).Store(0)
		s.slotPID(i).Store(uint64(os.Getpid()))
		for {
			used := s.used.Load()
			if used > uint64(i) || s.used.CompareAndSwap(used, uint64(i)+1) {
				return i, nil
			}
		}
	}
	return 0, fmt.Errorf("%s: %w", s.path, ErrReaders)
}

// pin is the newest state, which stays until unpin.
func (s *session) pin(slot int) uint64 {
	for {
		word := s.newest.Load()
		if slot < 0 {
			return word
		}
		s.slot(slot).Store(word / 2)
		if s.newest.Load() == word {
			return word
		}
	}
}

// leave ends what enter began.
func (s *session) leave(slot int) error {
	if slot >= 0 {
		s.slot(slot).Store(0)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if slot >= 0 {
		s.idle = append(s.idle, slot)
		return nil
	}
	if s.plain--; s.plain == 0 {
		return s.unlock(writerByte)
	}
	return nil
}

// oldest is the oldest transaction whose state somebody reads, newest if there is no older
// one. Slots of the dead are given back. The writer calls it.
func (s *session) oldest(newest uint64) (uint64, error) {
	oldest := newest
	for i := range int(min(s.used.Load(), lockSlots)) {
		tx := s.slot(i).Load()
		if tx == 0 || tx >= oldest {
			continue
		}
		dead, err := s.bury(i)
		if err != nil {
			return 0, err
		}
		if !dead {
			oldest = tx
		}
	}
	return oldest, nil
}

// bury empties a slot if its owner is dead.
func (s *session) bury(i int) (dead bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.own[i] {
		return false, nil // to lock what one has locked is no question
	}
	offset := slotByte + int64(i)
	if dead, err = s.tryLock(reclock.Write, offset); !dead {
		return false, err
	}
	s.slot(i).Store(0)
	s.slotPID(i).Store(0)
	return true, s.unlock(offset)
}

// Readers is how many slots have an owner who reads now, in all processes; dead ones are counted
// until a writer comes.
func (s *session) readers() (n int) {
	for i := range int(min(s.used.Load(), lockSlots)) {
		if s.slot(i).Load() != 0 {
			n++
		}
	}
	return n
}
