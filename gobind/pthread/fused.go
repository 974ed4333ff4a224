package pthread

/*
#cgo noescape unp_mutex_call
#cgo nocallback unp_mutex_call
#cgo noescape unp_mutex_add
#cgo nocallback unp_mutex_add
#cgo noescape unp_mutex_load
#cgo nocallback unp_mutex_load
#cgo noescape unp_mutex_store
#cgo nocallback unp_mutex_store
#cgo noescape unp_mutex_copy
#cgo nocallback unp_mutex_copy
#include "unp_pthread_fused.h"
*/
import "C"

import (
	"runtime"
	"syscall"
	"unsafe"

	"unpipc/gobind/internal/racedetect"
)

// The fused forms lock, do something and unlock in one call into C, which is a third of
// what [Mutex.Lock] and [Mutex.Unlock] cost where those call libc; where they do not, all
// but Call need none. If they return EOWNERDEAD they have done nothing but lock: the caller
// has the mutex, as after Lock, repairs what it protects, calls [Mutex.Consistent] and
// [Mutex.Unlock], and may then try again.

// Call runs the C function f, a void (*)(void *), with arg while the mutex is locked. f
// must not call Go.
func (m *Mutex) Call(f, arg unsafe.Pointer) error {
	var errno C.int
	m.begin()
	C.unp_mutex_call(m.address(), (*[0]byte)(f), arg, &errno)
	return end(errno)
}

// Add adds delta to the word, which the mutex protects, and returns the sum.
func (m *Mutex) Add(word *int64, delta int64) (sum int64, err error) {
	if m.enter() {
		*word += delta
		sum = *word
		m.leave()
		return sum, nil
	}
	var s C.int64_t
	var errno C.int
	m.begin()
	C.unp_mutex_add(m.address(), (*C.int64_t)(word), C.int64_t(delta), &s, &errno)
	return int64(s), end(errno)
}

// Load reads the word, which the mutex protects.
func (m *Mutex) Load(word *int64) (value int64, err error) {
	if m.enter() {
		value = *word
		m.leave()
		return value, nil
	}
	var v C.int64_t
	var errno C.int
	m.begin()
	C.unp_mutex_load(m.address(), (*C.int64_t)(word), &v, &errno)
	return int64(v), end(errno)
}

// Store writes the word, which the mutex protects.
func (m *Mutex) Store(word *int64, value int64) error {
	if m.enter() {
		*word = value
		m.leave()
		return nil
	}
	var errno C.int
	m.begin()
	C.unp_mutex_store(m.address(), (*C.int64_t)(word), C.int64_t(value), &errno)
	return end(errno)
}

// Copy copies as many bytes as the shorter of the two has, one of which the mutex
// protects; they must not overlap.
func (m *Mutex) Copy(to, from []byte) error {
	if m.enter() {
		copy(to, from)
		m.leave()
		return nil
	}
	var errno C.int
	n := min(len(to), len(from))
	m.begin()
	C.unp_mutex_copy(m.address(), (*C.char)(unsafe.Pointer(unsafe.SliceData(to))),
		(*C.char)(unsafe.Pointer(unsafe.SliceData(from))), C.size_t(n), &errno)
	return end(errno)
}

// address is the mutex as the fused forms take it.
func (m *Mutex) address() C.uintptr_t { return C.uintptr_t(uintptr(unsafe.Pointer(m.c))) }

// enter locks as [Mutex.Lock] does if libc is not needed for it, but pins the goroutine only
// if the mutex has an owner.
func (m *Mutex) enter() bool {
	owned := m.word().is() != normalKind
	if owned {
		runtime.LockOSThread()
	}
	if !m.take() {
		if owned {
			runtime.UnlockOSThread()
		}
		return false
	}
	racedetect.Taken()
	return true
}

// leave unlocks after enter.
func (m *Mutex) leave() {
	racedetect.Giving()
	owned := m.word().is() != normalKind
	m.give()
	if owned {
		runtime.UnlockOSThread()
	}
}

// begin pins the goroutine, because the mutex may stay locked.
func (m *Mutex) begin() {
	runtime.LockOSThread()
	racedetect.Giving()
}

func end(errno C.int) error {
	if errno != 0 {
		return locked("pthread_mutex_lock", syscall.Errno(errno))
	}
	racedetect.Taken()
	runtime.UnlockOSThread()
	return nil
}
