package pthread

// Direct says whether the lock of a normal mutex is changed from Go, and so are the readers
// of a read-write lock, and a spin lock.
func Direct() bool { return direct() && readersDirect() && spinDirect() != spinValues{} }

// Libc is the same mutex with libc's own functions for every call.
func (m *Mutex) Libc() *Mutex {
	copied := *m
	copied.direct = false
	return &copied
}

// Libc is the same lock with libc's own functions for every call.
func (l *RWLock) Libc() *RWLock { return &RWLock{object: l.object} }

// Libc is the same lock with libc's own functions for every call.
func (s *Spin) Libc() *Spin { return &Spin{object: s.object} }
