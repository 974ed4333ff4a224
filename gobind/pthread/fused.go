package pthread

/*
#cgo noescape unp_mutex_call
#cgo noescape unp_mutex_add
#cgo nocallback unp_mutex_add
#cgo noescape unp_mutex_load
#cgo nocallback unp_mutex_load
#cgo noescape unp_mutex_store
#cgo nocallback unp_mutex_store
#cgo noescape unp_mutex_copy
#cgo nocallback unp_mutex_copy
#cgo noescape unp_mutex_relock
#cgo nocallback unp_mutex_relock
#include "unp_pthread_fused.h"
*/
import "C"

import (
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/errs"
	"unpipc/gobind/internal/racedetect"
)

// The fused forms lock, do something and unlock in one call into C, which is a third of
// what [Mutex.Lock] and [Mutex.Unlock] cost. If they return EOWNERDEAD they have done
// nothing but lock: the caller has the mutex, as after Lock, repairs what it protects,
// calls [Mutex.Consistent] and [Mutex.Unlock], and may then try again.

// Call runs the C function f, a void (*)(void *), with arg while the mutex is locked. f
// must not call Go.
func (m *Mutex) Call(f, arg unsafe.Pointer) error {
	m.begin()
	return m.end(C.unp_mutex_call(m.address(), (*[0]byte)(f), arg))
}

// Add adds delta to the word, which the mutex protects, and returns the sum.
func (m *Mutex) Add(word *int64, delta int64) (sum int64, err error) {
	m.begin()
	var s C.int64_t
	err = m.end(C.unp_mutex_add(m.address(), (*C.int64_t)(word), C.int64_t(delta), &s))
	return int64(s), err
}

// Load reads the word, which the mutex protects.
func (m *Mutex) Load(word *int64) (value int64, err error) {
	m.begin()
	var v C.int64_t
	err = m.end(C.unp_mutex_load(m.address(), (*C.int64_t)(word), &v))
	return int64(v), err
}

// Store writes the word, which the mutex protects.
func (m *Mutex) Store(word *int64, value int64) error {
	m.begin()
	return m.end(C.unp_mutex_store(m.address(), (*C.int64_t)(word), C.int64_t(value)))
}

// Copy copies as many bytes as the shorter of the two has, one of which the mutex
// protects; they must not overlap.
func (m *Mutex) Copy(to, from []byte) error {
	m.begin()
	n := min(len(to), len(from))
	return m.end(C.unp_mutex_copy(m.address(), (*C.char)(unsafe.Pointer(unsafe.SliceData(to))),
		(*C.char)(unsafe.Pointer(unsafe.SliceData(from))), C.size_t(n)))
}

// Relock wakes one of those that wait for the condition, or all, or nobody if it is nil,
// unlocks the mutex, which the caller holds, and locks it again, in one call into C: what
// a loop does between two rounds.
// Errors: those of [Mutex.Lock]; EPERM as of [Mutex.Unlock].
func (m *Mutex) Relock(wake *Cond, all bool) error {
	racedetect.Giving()
	var c *C.pthread_cond_t
	if wake != nil {
		c = wake.c
	}
	errno := syscall.Errno(C.unp_mutex_relock(m.address(), c, C.bool(all)))
	if errno == unix.ENOTRECOVERABLE {
		runtime.UnlockOSThread()
	} else {
		racedetect.Taken()
	}
	return errs.Call("pthread_mutex_lock", errno)
}

// address is the mutex as the fused forms take it.
func (m *Mutex) address() C.uintptr_t { return C.uintptr_t(uintptr(unsafe.Pointer(m.c))) }

// begin pins the goroutine, because the mutex may stay locked.
func (m *Mutex) begin() {
	runtime.LockOSThread()
	racedetect.Giving()
}

func (m *Mutex) end(errno C.int) error {
	if errno == 0 {
		racedetect.Taken()
		runtime.UnlockOSThread()
		return nil
	}
	return m.failed(syscall.Errno(errno))
}

func (m *Mutex) failed(errno syscall.Errno) error {
	if errno == unix.EOWNERDEAD {
		racedetect.Taken()
	} else {
		runtime.UnlockOSThread()
	}
	return errs.Call("pthread_mutex_lock", errno)
}
