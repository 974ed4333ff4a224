// Package pthread gives the locks of POSIX threads: mutexes, condition variables,
// read-write locks, barriers and spin locks, and goroutines that are threads.
// pthreads(7), UNPv2 chapters 7 and 8.
//
// Every object is libc's own: a pthread_mutex_t is in the memory that the caller gives
// to InitMutex, usually a mapping of [unpipc/gobind/posixshm], or in C's by NewMutex. A
// C program that maps the same memory uses the same lock. One process makes the object
// by Init…, the others find it by …At.
//
// # Threads
//
// A pthread lock belongs to a thread. So a goroutine that has locked one stays on its
// thread until it unlocks it; this nests, and it must be the same goroutine that unlocks.
// A goroutine that ends while it holds a lock ends its thread: a robust mutex passes to
// the next locker with EOWNERDEAD, any other lock stays locked. (The main thread never
// ends. [Go] never uses it.)
//
// # Speed
//
// A call from Go into C costs more than a lock that is free. So what needs no sleep is done
// from Go as glibc does it, to its own words: locking and unlocking a mutex without a
// protocol, a read-write lock, or a spin lock, and a signal to a condition that nobody
// waits for. Libc is called to sleep, to spin, after an owner's death, and for every error;
// but a [Cond.Wait] is the same in C of this package's, which spares the next unlock a
// system call, and can be made adaptive: [Cond.SetAdaptive]. The number of the thread,
// which a lock notes, and the list of a thread's robust mutexes, which the kernel reads
// when the thread dies, are in libc's own block of the thread. When the first of a kind is
// used it is tried whether those of this libc are made like that; if not, on other
// processors than amd64 where the thread is noted, or with UNPIPC_PTHREAD=libc in the
// environment, every call is libc's. Then, and for a mutex with a protocol, [Mutex.Add] and
// the like lock, work and unlock in one call, and [Mutex.Relock] makes none where it would
// change nothing.
//
// Threads that sleep in libc and wake each other are as fast as C's only if each finds a P
// of Go's scheduler when it wakes: who holds a lock and waits for a P holds up all others. So
// where more threads than processors meet at locks, set [runtime.GOMAXPROCS] to one more
// than there are of them. The runtime's monitor takes the P of a goroutine that has not been
// through the scheduler for ten milliseconds, each time it finds it in C: one that stays on
// its thread and mostly sleeps there calls [runtime.Gosched] every few milliseconds, with no
// lock held: [unpipc/gobind/yield].
//
// # Errors
//
// *os.SyscallError: EBUSY (a Try call), ETIMEDOUT (a By or For call), EDEADLK, EPERM,
// EINVAL. The end of a context is its cause. EINTR is never returned. Two errors are
// about a robust mutex whose owner died:
//
//   - EOWNERDEAD: the mutex IS locked, by the caller. What it protects may be half done;
//     repair it and call [Mutex.Consistent] before [Mutex.Unlock].
//   - ENOTRECOVERABLE: somebody unlocked it without Consistent; it is lost for ever.
//
// # Caveats
//
//   - Memory that is unmapped while a call sleeps in it is the caller's fault, and so is
//     an object that nobody has initialised.
//   - Only a mutex can be robust. A process that is killed inside a call on a condition
//     variable may leave it locked within, and then all that signal, broadcast or wait
//     there hang for ever, with the mutex in their hands and no limit of theirs counting.
//     After a death such an object is to be given up and made anew, not used.
//   - Each call that sleeps holds an operating system thread, and a pinned goroutine that
//     waits for another one costs a switch of threads, microseconds instead of
//     nanoseconds. Hold locks for a short time and do no channel operations meanwhile.
//   - [Barrier.Wait] and [Spin.Lock] cannot be given up: POSIX has no timed form of
//     them, and a thread that has arrived at a barrier has been counted.
package pthread

/*
#cgo CFLAGS: -D_GNU_SOURCE -I${SRCDIR}/../../capi
#include "unp_pthread.h"
*/
import "C"

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	_ "unpipc/capi"
	_ "unpipc/csrc/pthread"
)

// by is a deadline of the real-time clock. Times before 1970 have passed as well as 1970
// has, but not every one of libc's functions knows.
func by(deadline time.Time) unix.Timespec {
	sec, nsec := deadline.Unix(), int64(deadline.Nanosecond())
	if sec < 0 {
		return unix.Timespec{}
	}
	return unix.Timespec{Sec: sec, Nsec: nsec}
}

// after is a deadline of the monotonic clock.
func after(d time.Duration) unix.Timespec {
	var now unix.Timespec
	// Cannot fail: the clock is always there.
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now)
	return unix.NsecToTimespec(max(0, now.Nano()+max(0, min(int64(d), 1<<62))))
}

// c is a time as C's functions take it.
func c(t *unix.Timespec) *C.struct_timespec { return (*C.struct_timespec)(unsafe.Pointer(t)) }
