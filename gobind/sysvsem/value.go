package sysvsem

/*
#include "unp_sysvsem.h"
*/
import "C"

import (
	"math"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/racedetect"
	"unpipc/gobind/internal/sysv"
)

// Value is the value of a semaphore (GETVAL). Errors: EINVAL (no such one), EACCES.
func (s *Set) Value(sem int) (int, error) { return s.number(sem, getVal) }

// WaitingForMore is how many sleep until the value is large enough (GETNCNT).
func (s *Set) WaitingForMore(sem int) (int, error) { return s.number(sem, getNCnt) }

// WaitingForZero is how many sleep until the value is 0 (GETZCNT).
func (s *Set) WaitingForZero(sem int) (int, error) { return s.number(sem, getZCnt) }

// LastPID is the process that changed the semaphore last, in [Set.Do] or by setting its
// value (GETPID); 0 if none did, or if it is in another pid namespace.
func (s *Set) LastPID(sem int) (int, error) { return s.number(sem, getPID) }

func (s *Set) number(sem, command int) (n int, err error) {
	errno := s.control(sem, command, &n)
	if command == getVal && errno == 0 {
		racedetect.Taken()
	}
	return n, s.fail("semctl", errno)
}

// SetValue sets the value of a semaphore (SETVAL) and wakes whom it lets go on.
// Errors: ERANGE (under 0 or over semvmx), EINVAL (no such semaphore), EACCES.
func (s *Set) SetValue(sem, value int) error {
	racedetect.Giving()
	return s.fail("semctl", syscall.Errno(C.unp_semset_setval(C.int(s.id),
		C.int(sysv.Clamp(sem, math.MaxInt32)), C.int(sysv.Clamp(value, math.MaxInt32)))))
}

// Values are the values of all semaphores of the set at one time (GETALL).
// Errors: EACCES.
func (s *Set) Values() ([]int, error) {
	st, err := s.Stat()
	if err != nil {
		return nil, err
	}
	raw := make([]uint16, st.Semaphores)
	errno := syscall.Errno(C.unp_semset_getall(C.int(s.id), first(raw)))
	if errno != 0 {
		return nil, s.fail("semctl", errno)
	}
	racedetect.Taken()
	values := make([]int, len(raw))
	for i, v := range raw {
		values[i] = int(v)
	}
	return values, nil
}

// SetValues sets the values of all semaphores of the set at once (SETALL).
// Errors: ERANGE (one under 0 or over semvmx; then none is set), EINVAL (not as many as
// there are), EACCES (also without permission to read how many there are).
func (s *Set) SetValues(values ...int) error {
	st, err := s.Stat()
	if err != nil {
		return err
	}
	if len(values) != st.Semaphores {
		return s.fail("semctl", unix.EINVAL)
	}
	raw := make([]uint16, len(values))
	for i, v := range values {
		raw[i] = uint16(sysv.Clamp(v, math.MaxUint16)) // -1 is 65535, which is over semvmx
	}
	racedetect.Giving()
	return s.fail("semctl", syscall.Errno(C.unp_semset_setall(C.int(s.id), first(raw))))
}

func first(values []uint16) *C.uint16_t {
	return (*C.uint16_t)(unsafe.Pointer(unsafe.SliceData(values)))
}
