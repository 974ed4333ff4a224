// Package l10semaphore is the lecture's semaphore made of a counter, a mutex and a
// condition variable:
//
//	get: lock; while the counter is 0 wait; take 1; unlock
//	put: lock; add 1; signal; unlock
//
// It lies in memory that processes share, so that threads of several may use it. A
// process that is killed with a unit, or inside get or put, has what it had for ever: use
// a System V semaphore with SEM_UNDO where that must not be.
package l10semaphore

import (
	"context"
	"errors"

	"unpipc/gobind/mmap"
	"unpipc/gobind/pthread"
)

// Where things are in the memory; each has a cache line of its own.
const (
	countersOffset = 0
	mutexOffset    = 64
	condOffset     = 128
	Size           = 192
)

// counters are int32 for C. All but the first are for the test of the semaphore.
type counters struct {
	Units   int32 // that can be had now
	Inside  int32 // threads that have one
	Most    int32 // of Inside at any time
	Arrived int32 // processes that have joined
	Joined  int32 // of them that have not left
	Ready   int32 // 1 when everything here has been made
	Initial int32 // units at first
}

// Semaphore is one in some memory.
type Semaphore struct {
	*counters
	mutex *pthread.Mutex
	cond  *pthread.Cond
}

// Make makes a semaphore of so many units in shared memory.
func Make(memory []byte, units int) (*Semaphore, error) {
	c, err := mmap.View[counters](memory, countersOffset)
	if err != nil {
		return nil, err
	}
	m, err := pthread.InitMutex(memory[mutexOffset:], pthread.MutexAttr{Shared: true})
	if err != nil {
		return nil, err
	}
	v, err := pthread.InitCond(memory[condOffset:], pthread.CondAttr{Shared: true})
	if err != nil {
		return nil, err
	}
	*c = counters{Units: int32(units), Initial: int32(units)}
	return &Semaphore{c, m, v}, nil
}

// At is the semaphore that was made in this memory.
func At(memory []byte) (*Semaphore, error) {
	c, err := mmap.View[counters](memory, countersOffset)
	if err != nil {
		return nil, err
	}
	m, err := pthread.MutexAt(memory[mutexOffset:])
	if err != nil {
		return nil, err
	}
	v, err := pthread.CondAt(memory[condOffset:])
	return &Semaphore{c, m, v}, err
}

// Get takes a unit, and waits for one until ctx ends.
func (s *Semaphore) Get(ctx context.Context) error {
	if err := s.mutex.LockContext(ctx); err != nil {
		return err
	}
	var err error
	for s.Units == 0 && err == nil {
		err = s.cond.WaitContext(ctx, s.mutex)
	}
	if err == nil {
		s.Units--
	} else if s.Units > 0 {
		err = errors.Join(err, s.cond.Signal()) // it may have been meant for this one
	}
	return errors.Join(err, s.mutex.Unlock())
}

// Put puts a unit back and wakes one that waits.
func (s *Semaphore) Put() error {
	if err := s.mutex.Lock(); err != nil {
		return err
	}
	s.Units++
	return errors.Join(s.cond.Signal(), s.mutex.Unlock())
}

// Value is how many units can be had now.
func (s *Semaphore) Value() (int, error) {
	if err := s.mutex.Lock(); err != nil {
		return 0, err
	}
	n := s.Units
	return int(n), s.mutex.Unlock()
}
