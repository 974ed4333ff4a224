package p15spsc

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/posixsem"
	"unpipc/gobind/pthread"
)

// patience is how long a sleeper of the kinds with locks sleeps before it looks whether
// the other side is still there.
const patience = 200 * time.Millisecond

func initLocks(memory []byte, kind Kind, capacity int) error {
	switch kind {
	case Mutex:
		_, err := pthread.InitMutex(memory[mutexBlock:fullBlock], pthread.MutexAttr{Shared: true})
		for _, block := range [][]byte{memory[fullBlock:emptyBlock], memory[emptyBlock:slotsBlock]} {
			_, condErr := pthread.InitCond(block, pthread.CondAttr{Shared: true})
			err = errors.Join(err, condErr)
		}
		return err
	case Sem:
		_, full := posixsem.Init(memory[fullBlock:emptyBlock], 0)
		_, empty := posixsem.Init(memory[emptyBlock:slotsBlock], uint(capacity))
		return errors.Join(full, empty)
	}
	return nil
}

// mutexQueue is the queue as UNPv2 7.5 has it: one mutex, a condition variable for each
// side. A variable is signalled only when the other side may be asleep: when the queue
// was empty or full.
type mutexQueue struct {
	*Queue
	mutex       *pthread.Mutex
	full, empty *pthread.Cond // something is there; there is room
}

func (q *Queue) mutexQueue() (*mutexQueue, error) {
	m, err := pthread.MutexAt(q.memory[mutexBlock:fullBlock])
	full, fullErr := pthread.CondAt(q.memory[fullBlock:emptyBlock])
	empty, emptyErr := pthread.CondAt(q.memory[emptyBlock:slotsBlock])
	return &mutexQueue{q, m, full, empty}, errors.Join(err, fullErr, emptyErr)
}

// push writes one item; false when there has been no room for long.
func (q *mutexQueue) push(v uint64) (bool, error) {
	if err := q.mutex.Lock(); err != nil {
		return false, err
	}
	for *q.tail-*q.head == q.capacity {
		if err := q.empty.WaitFor(q.mutex, patience); err != nil {
			return false, q.gaveUp(err)
		}
	}
	*slot(q.slots, q.capacity-1, *q.tail) = v
	wasEmpty := *q.tail == *q.head
	*q.tail++
	if wasEmpty {
		q.full.Signal()
	}
	return true, q.mutex.Unlock()
}

func (q *mutexQueue) pop() (v uint64, ok bool, err error) {
	if err := q.mutex.Lock(); err != nil {
		return 0, false, err
	}
	for *q.tail == *q.head {
		if err := q.full.WaitFor(q.mutex, patience); err != nil {
			return 0, false, q.gaveUp(err)
		}
	}
	v = *slot(q.slots, q.capacity-1, *q.head)
	wasFull := *q.tail-*q.head == q.capacity
	*q.head++
	if wasFull {
		q.empty.Signal()
	}
	return v, true, q.mutex.Unlock()
}

// gaveUp is for a wait that has ended with the mutex locked.
func (q *mutexQueue) gaveUp(err error) error {
	if errors.Is(err, unix.ETIMEDOUT) {
		err = nil
	}
	return errors.Join(err, q.mutex.Unlock())
}

// semQueue is the queue as UNPv2 10.6 has it; with one process at each end no mutex is
// needed.
type semQueue struct {
	*Queue
	full, empty *posixsem.Sem
}

func (q *Queue) semQueue() (*semQueue, error) {
	full, err := posixsem.At(q.memory[fullBlock:emptyBlock])
	empty, emptyErr := posixsem.At(q.memory[emptyBlock:slotsBlock])
	return &semQueue{q, full, empty}, errors.Join(err, emptyErr)
}

func (q *semQueue) push(v uint64) (bool, error) {
	if err := q.empty.WaitFor(patience); err != nil {
		return false, notTimeout(err)
	}
	*slot(q.slots, q.capacity-1, *q.tail) = v
	*q.tail++
	return true, q.full.Post()
}

func (q *semQueue) pop() (v uint64, ok bool, err error) {
	if err := q.full.WaitFor(patience); err != nil {
		return 0, false, notTimeout(err)
	}
	v = *slot(q.slots, q.capacity-1, *q.head)
	*q.head++
	return v, true, q.empty.Post()
}

func notTimeout(err error) error {
	if errors.Is(err, unix.ETIMEDOUT) {
		return nil
	}
	return err
}
