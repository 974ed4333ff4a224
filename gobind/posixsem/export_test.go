package posixsem

// Direct says whether calls are made from Go where they need not sleep.
var Direct = direct

// Libc is the same semaphore with libc's own functions for every call.
func (s *Sem) Libc() *Sem {
	copied := *s
	copied.direct = false
	return &copied
}
