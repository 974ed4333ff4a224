package pthread

import "unpipc/gobind/pthread/internal/tcb"

// Direct says whether all that may be is changed from Go.
func Direct() bool {
	all := 1<<normalKind | checking
	return direct() == all|all<<robustKind && writersDirect() && spinDirect() != spinValues{}
}

// ThreadsKnown says whether [ThreadNumber] may be called.
func ThreadsKnown() bool { return threads() }

// ThreadNumber is that of the calling thread.
func ThreadNumber() int { return int(tcb.Word(tidAt)) }

// RobustKnownAt says whether a trial of a thread's list of robust mutexes succeeds so many
// bytes from where it is.
func RobustKnownAt(off int) bool { return robustKnownAt(uintptr(int(robustAt) + off)) }

// Libc is the same mutex with libc's own functions for every call.
func (m *Mutex) Libc() *Mutex {
	copied := *m
	copied.direct = 0
	return &copied
}

// Libc is the same lock with libc's own functions for every call.
func (l *RWLock) Libc() *RWLock { return &RWLock{object: l.object} }

// Libc is the same lock with libc's own functions for every call.
func (s *Spin) Libc() *Spin { return &Spin{object: s.object} }

// Unwanted says whether nobody sleeps for the mutex, as far as one can see.
func (m *Mutex) Unwanted() bool { return m.unwanted() }
