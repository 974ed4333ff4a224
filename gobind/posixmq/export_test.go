package posixmq

import "golang.org/x/sys/unix"

// Waiting is how many wait in the context forms to receive and to send.
func (q *Queue) Waiting() (receivers, senders int) {
	return int(q.receivers.length.Load()), int(q.senders.length.Load())
}

// Pending is how many functions may still be called for a registration.
func Pending() int {
	registrations.Lock()
	defer registrations.Unlock()
	return len(registrations.pending)
}

var ParseStatus = parseStatus

// Alone takes away the second descriptor, which cannot be had everywhere.
func (q *Queue) Alone() error { return unix.Close(int(q.tryFd.Swap(-1))) }
