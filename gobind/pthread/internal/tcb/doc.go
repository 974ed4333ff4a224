// Package tcb knows a thread's control block, libc's struct pthread, which the FS register
// points to on amd64. pthread_self(3) is its address. What libc notes there, as the thread's
// number, and its list of robust mutexes, would cost a call into C otherwise.
//
// It is assembly because Go has no name for that register, and because of the list: the
// kernel reads that when the thread dies, at any instant, so that what is written must be
// written in that order. It is a package of its own because one that uses cgo may have no Go
// assembly. Where something is in the block is the caller's to find out. Each function is one
// that the scheduler cannot interrupt: it is on one thread from its beginning to its end.
package tcb
