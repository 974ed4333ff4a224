package pthread

// Direct says whether the lock of a normal mutex is changed from Go.
var Direct = direct

// Libc is the same mutex with libc's own functions for every call.
func (m *Mutex) Libc() *Mutex {
	copied := *m
	copied.direct = false
	return &copied
}
