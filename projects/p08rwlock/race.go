//go:build race

package p08rwlock

import (
	"runtime"
	"unsafe"
)

// The race detector does not look at memory outside of Go's, where a FutexRWLock is. So
// it is told what the lock orders; the lock's handle stands for the lock, and those who
// share it for all of this process.

const race = true

func (l *FutexRWLock) taken()  { runtime.RaceAcquire(unsafe.Pointer(l)) }
func (l *FutexRWLock) giving() { runtime.RaceReleaseMerge(unsafe.Pointer(l)) }
