// Package sysvsem gives System V semaphores: sysvipc(7), UNPv2 chapter 11.
//
// They come in sets. A set has a key, which programs agree on or make by [Ftok], an
// identifier, which the kernel gives, and semaphores numbered from 0. It stays until it
// is removed, whoever ends. One call, [Set.Do], makes several operations on a set at
// once: all of them or, while one has to wait, none.
//
// # Errors
//
// Every error of a set is a *fs.PathError whose path names it by key and identifier:
// EIDRM when it was removed (EINVAL if that was before the call), EACCES, and what each
// call says. The end of a context is its cause. EINTR is never returned, though the
// kernel returns it after every signal: the Go runtime's own would end one call in a
// thousand without its having been made.
//
// # Caveats
//
//   - A new set's values are 0 on Linux and undefined by POSIX, and making it and giving
//     it values are two calls: [Establish] and [Set.Initialized] are for that.
//   - [Undo] keeps for each process what it has changed, and takes it back when the
//     process ends, however it ends. It is the process's, with all its threads, and is
//     not inherited by what it starts. What is taken back is limited at 0, and it may let
//     others go on. [Set.SetValue] and [Set.SetValues] forget what all processes have
//     done with Undo.
//   - An operation by 0 waits for 0 and changes nothing; waiting for two values other
//     than 0 takes two semaphores.
//   - Each call that sleeps holds an operating system thread, with a context as well.
package sysvsem

/*
#cgo CFLAGS: -I${SRCDIR}/../../capi
#include "unp_sysvsem.h"
*/
import "C"

import (
	"fmt"
	"math"
	"syscall"

	"golang.org/x/sys/unix"

	_ "unpipc/capi"
	_ "unpipc/csrc/sysvsem"
	"unpipc/gobind/internal/errs"
	"unpipc/gobind/internal/sysv"
)

// Key names a set in its IPC namespace.
type Key = sysv.Key

// Private is the key of sets that nobody can find: IPC_PRIVATE.
const Private = sysv.Private

// Flags of [Get], beside a mode, and of an [Op]: semget(2), semop(2).
const (
	Create = unix.IPC_CREAT
	Excl   = unix.IPC_EXCL
	NoWait = unix.IPC_NOWAIT
	Undo   = 0o10000 // SEM_UNDO: taken back when this process ends
)

// Ftok makes a key of an existing file and the low 8 bits of id, as every program does
// that calls ftok(3) on the same file. Two files can have the same key.
// Error: *fs.PathError (ENOENT, EACCES).
func Ftok(path string, id int) (Key, error) {
	return sysv.Ftok(path, id)
}

// Set is a set of semaphores. It holds nothing that would have to be closed, and may be
// used by several goroutines at once.
type Set struct {
	id   int
	name string
}

// Get finds the set with the key, if it has that many semaphores at least, or, with
// Create in flags, makes it with the mode in their low 9 bits (write permission to
// change values, read permission to read them and to wait for 0; the umask does not
// count).
// Errors: ENOENT, EEXIST (Create|Excl), EINVAL (fewer semaphores; 0 or more than semmsl
// for a new set), EACCES, ENOSPC (semmni, semmns), ENOMEM.
func Get(key Key, semaphores, flags int) (*Set, error) {
	semaphores = sysv.Clamp(semaphores, math.MaxInt32)
	id, _, errno := syscall.RawSyscall(unix.SYS_SEMGET, uintptr(key), uintptr(semaphores), uintptr(flags))
	if errno != 0 {
		return nil, errs.Path("semget", "System V semaphores "+key.String(), errno)
	}
	return &Set{int(id), fmt.Sprintf("System V semaphores %s (semid %d)", key, int(id))}, nil
}

// Open is the set with an identifier that is known from elsewhere. Nothing is checked.
func Open(id int) *Set {
	return &Set{sysv.Clamp(id, math.MaxInt32), fmt.Sprintf("System V semaphores (semid %d)", id)}
}

// ID is the identifier, as ipcs shows it.
func (s *Set) ID() int { return s.id }

// Remove removes the set; whoever waits at it gets EIDRM. Errors: EPERM, EINVAL.
func (s *Set) Remove() error {
	return s.fail("semctl", s.control(0, unix.IPC_RMID, nil))
}

func (s *Set) fail(op string, errno syscall.Errno) error { return errs.Path(op, s.name, errno) }

// Commands of semctl(2) that return a number, linux/sem.h.
const (
	getPID  = 11
	getVal  = 12
	getNCnt = 14
	getZCnt = 15
)

// control is semctl without a fourth argument.
func (s *Set) control(sem, command int, result *int) syscall.Errno {
	n, _, errno := syscall.RawSyscall6(unix.SYS_SEMCTL, uintptr(s.id),
		uintptr(sysv.Clamp(sem, math.MaxInt32)), uintptr(command), 0, 0, 0)
	if errno == 0 && result != nil {
		*result = int(n)
	}
	return errno
}
