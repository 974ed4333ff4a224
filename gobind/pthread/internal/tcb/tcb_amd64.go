package tcb

import "unsafe"

// Known says that this package knows the block of this processor.
const Known = true

// Word is that at the offset in the calling thread's block.
func Word(offset uintptr) int32

// Has says whether the word at the offset in the calling thread's block is also at owner.
//
//go:noescape
func Has(offset uintptr, owner *int32) bool

// TakeOwned locks a pthread_mutex_t of glibc's that checks or counts, neither robust nor of a
// protocol, if it is free, or counts once more. tid is the offset of the thread's number.
//
//go:noescape
func TakeOwned(mutex unsafe.Pointer, tid uintptr) bool

// GiveOwned unlocks such a mutex, or counts once less, if it is the calling thread's, and wakes
// one who sleeps for it.
//
//go:noescape
func GiveOwned(mutex unsafe.Pointer, tid uintptr) bool

// TakeRobust locks a robust pthread_mutex_t, of glibc's and without a protocol, if it is free
// and recoverable, and puts it into the calling thread's list. tid is the offset of the thread's
// number, robust that of the list. It must not be in the Go heap.
//
//go:noescape
func TakeRobust(mutex unsafe.Pointer, tid, robust uintptr) bool

// GiveRobust unlocks such a mutex if the calling thread holds it, once, and it is consistent.
//
//go:noescape
func GiveRobust(mutex unsafe.Pointer, tid, robust uintptr) bool
