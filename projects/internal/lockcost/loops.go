package lockcost

import (
	"unpipc/gobind/posixsem"
	"unpipc/gobind/pthread"
)

// What is changed from Go while nobody sleeps has a loop of its own, as a program would and
// as it has in C: a call through a function's value costs nearly as much as such a lock.

func (w *worker) underMutex(m *pthread.Mutex) work {
	counter := &w.counter
	return func(n uint64) error {
		for range n {
			if err := m.Lock(); err != nil {
				return err
			}
			*counter++
			if err := m.Unlock(); err != nil {
				return err
			}
		}
		return nil
	}
}

func (w *worker) underReading(l *pthread.RWLock) work {
	counter := &w.counter
	return func(n uint64) error {
		for range n {
			if err := l.RLock(); err != nil {
				return err
			}
			*counter++
			if err := l.Unlock(); err != nil {
				return err
			}
		}
		return nil
	}
}

func (w *worker) underWriting(l *pthread.RWLock) work {
	counter := &w.counter
	return func(n uint64) error {
		for range n {
			if err := l.Lock(); err != nil {
				return err
			}
			*counter++
			if err := l.Unlock(); err != nil {
				return err
			}
		}
		return nil
	}
}

func (w *worker) underSpin(s *pthread.Spin) work {
	counter := &w.counter
	return func(n uint64) error {
		for range n {
			if err := s.Lock(); err != nil {
				return err
			}
			*counter++
			if err := s.Unlock(); err != nil {
				return err
			}
		}
		return nil
	}
}

func (w *worker) underSem(s *posixsem.Sem) work {
	counter := &w.counter
	return func(n uint64) error {
		for range n {
			if err := s.Wait(); err != nil {
				return err
			}
			*counter++
			if err := s.Post(); err != nil {
				return err
			}
		}
		return nil
	}
}

// fused has the increment in the call.
func (w *worker) fused(m *pthread.Mutex) work {
	counter := &w.counter
	return func(n uint64) error {
		for range n {
			if _, err := m.Add(counter, 1); err != nil {
				return err
			}
		}
		return nil
	}
}

func (w *worker) underSyncMutex(n uint64) error {
	counter := &w.counter
	for range n {
		inGoOnly.Lock()
		*counter++
		inGoOnly.Unlock()
	}
	return nil
}

// increments is n times lock, increment, unlock, of locks that are system calls.
func (w *worker) increments(lock, unlock func() error) work {
	counter := &w.counter
	return func(n uint64) error {
		for range n {
			if err := lock(); err != nil {
				return err
			}
			*counter++
			if err := unlock(); err != nil {
				return err
			}
		}
		return nil
	}
}
