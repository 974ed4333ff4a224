package posixmq

import (
	"math"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/racedetect"
)

// rawLimit, in bytes, bounds how long a raw call can keep its thread from the
// scheduler: copying more takes so long that a word to it does not matter.
const rawLimit = 64 << 10

// over is a deadline that has passed: with it a call does not sleep.
var over unix.Timespec

// trial is what a call that must not sleep is made on: a non-blocking open file
// description of the queue, which is nobody else's, or where that could not be had the
// queue itself, with a deadline that has passed.
type trial struct {
	fd       int
	deadline *unix.Timespec
}

// wouldSleep says that a call on a trial has failed for no other reason. EINTR is what
// a signal makes of ETIMEDOUT.
func wouldSleep(errno syscall.Errno) bool {
	return errno == unix.EAGAIN || errno == unix.ETIMEDOUT || errno == unix.EINTR
}

// inRange is a priority as the kernel is to see it, which takes its low 32 bits: one that has
// more stays too great.
func inRange(priority uint) uintptr { return uintptr(min(priority, math.MaxUint32)) }

// sleepers says of the calls in one direction which are to sleep without a trial first. A
// trial that finds the queue full, or empty, costs a whole system call, where one that finds
// it otherwise saves a small part of one; and who is faster than the other end finds it so
// again and again.
type sleepers struct{ left atomic.Int32 }

// sleepersAfterTrial are the calls after a trial that failed.
const sleepersAfterTrial = 31

// try says whether this call is to begin with a trial.
func (s *sleepers) try() bool {
	left := s.left.Load()
	if left > 0 {
		s.left.Store(left - 1)
	}
	return left == 0
}

// send sends without sleeping, so it needs no word to Go's scheduler.
func (t trial) send(msg []byte, priority uint) syscall.Errno {
	if len(msg) > rawLimit {
		return send(t.fd, msg, priority, t.deadline)
	}
	racedetect.Giving()
	_, _, errno := syscall.RawSyscall6(unix.SYS_MQ_TIMEDSEND, uintptr(t.fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(msg))), uintptr(len(msg)), inRange(priority),
		uintptr(unsafe.Pointer(t.deadline)), 0)
	return errno
}

// receive receives without sleeping, likewise.
func (t trial) receive(buf []byte) (int, uint, syscall.Errno) {
	if len(buf) > rawLimit {
		return receive(t.fd, buf, t.deadline)
	}
	var p uint32
	n, _, errno := syscall.RawSyscall6(unix.SYS_MQ_TIMEDRECEIVE, uintptr(t.fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(buf))), uintptr(len(buf)), uintptr(unsafe.Pointer(&p)),
		uintptr(unsafe.Pointer(t.deadline)), 0)
	return received(n, p, errno)
}

// send may sleep until the deadline, or for as long as it takes without one.
func send(fd int, msg []byte, priority uint, deadline *unix.Timespec) (errno syscall.Errno) {
	racedetect.Giving()
	for {
		_, _, errno = syscall.Syscall6(unix.SYS_MQ_TIMEDSEND, uintptr(fd),
			uintptr(unsafe.Pointer(unsafe.SliceData(msg))), uintptr(len(msg)), inRange(priority),
			uintptr(unsafe.Pointer(deadline)), 0)
		if errno != unix.EINTR {
			return errno
		}
	}
}

// receive may sleep, likewise.
func receive(fd int, buf []byte, deadline *unix.Timespec) (int, uint, syscall.Errno) {
	for {
		var p uint32
		n, _, errno := syscall.Syscall6(unix.SYS_MQ_TIMEDRECEIVE, uintptr(fd),
			uintptr(unsafe.Pointer(unsafe.SliceData(buf))), uintptr(len(buf)), uintptr(unsafe.Pointer(&p)),
			uintptr(unsafe.Pointer(deadline)), 0)
		if errno != unix.EINTR {
			return received(n, p, errno)
		}
	}
}

func received(n uintptr, priority uint32, errno syscall.Errno) (int, uint, syscall.Errno) {
	if errno != 0 {
		return 0, 0, errno
	}
	racedetect.Taken()
	return int(n), uint(priority), 0
}
