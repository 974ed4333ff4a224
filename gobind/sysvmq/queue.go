// Package sysvmq gives System V message queues: sysvipc(7), UNPv2 chapter 6.
//
// A queue has a key, which programs agree on or make by [Ftok], and an identifier,
// which the kernel gives. It stays until it is removed, whoever ends. A message has a
// type, a number from 1 on, and a receiver chooses by it:
//
//	0    the oldest message
//	n    the oldest of type n; with MSG_EXCEPT, of any other type
//	-n   the oldest of the lowest type that is at most n
//
// # Errors
//
// Every error of a queue is a *fs.PathError whose path names it by key and identifier:
// EIDRM when it was removed (EINVAL if that was before the call), EACCES, and what
// each call says. The end of a context is its cause. EINTR is never returned, though
// the kernel returns it after every signal.
//
// # Caveats
//
//   - A queue stays until it is removed or the system goes down, whoever ends; ipcs(1)
//     shows those that were forgotten and ipcrm(1) removes them.
//   - An identifier says nothing of the queue's messages: whoever has it and the
//     permission can take them, whatever their type. A type is a choice, not a lock.
//   - A queue is full by bytes (msg_qbytes) and, at as many messages, by their number,
//     so messages of 0 bytes fill it too. A type that nobody receives fills it for all.
//     A message larger than the queue may ever hold is not refused: it waits for ever.
//   - Each call that sleeps holds an operating system thread, with a context as well:
//     the kernel has no descriptor to poll. Where very many wait, package posixmq is
//     the better choice.
//   - Two files can have the same key ([Ftok]): inode numbers are cut to 16 bits and
//     devices to 8. The file must stay: one made anew has another inode and key.
package sysvmq

/*
#cgo CFLAGS: -I${SRCDIR}/../../capi
#include "unp_sysvmq.h"
*/
import "C"

import (
	"fmt"
	"math"
	"syscall"

	"golang.org/x/sys/unix"

	_ "unpipc/capi"
	_ "unpipc/csrc/sysvmq"
	"unpipc/gobind/internal/errs"
	"unpipc/gobind/internal/sysv"
)

// Key names a queue in its IPC namespace.
type Key = sysv.Key

// Private is the key of queues that nobody can find: IPC_PRIVATE.
const Private = sysv.Private

// Flags of [Get], [Queue.Send] and [Queue.Receive] beside a mode: msgget(2), msgop(2).
const (
	Create   = unix.IPC_CREAT
	Excl     = unix.IPC_EXCL
	NoWait   = unix.IPC_NOWAIT
	NoError  = 0o10000 // MSG_NOERROR: cut a message that is too long
	Except   = 0o20000 // MSG_EXCEPT: any type but the given one
	CopyOnly = 0o40000 // MSG_COPY: the message at the index given as type, left in place
)

// Ftok makes a key of an existing file and the low 8 bits of id, as every program does
// that calls ftok(3) on the same file: inode, device and id go into it. Two files can
// have the same key.
// Error: *fs.PathError (ENOENT, EACCES).
func Ftok(path string, id int) (Key, error) {
	return sysv.Ftok(path, id)
}

// Queue is a message queue. It holds nothing that would have to be closed, and may be
// used by several goroutines at once.
type Queue struct {
	id   int
	name string
}

// Get finds the queue with the key or, with Create in flags, makes it with the mode in
// their low 9 bits (write permission to send, read permission to receive; the umask
// does not count).
// Errors: ENOENT, EEXIST (Create|Excl), EACCES, ENOSPC (msgmni), ENOMEM.
func Get(key Key, flags int) (*Queue, error) {
	id, _, errno := syscall.RawSyscall(unix.SYS_MSGGET, uintptr(key), uintptr(flags), 0)
	if errno != 0 {
		return nil, errs.Path("msgget", "System V queue "+key.String(), errno)
	}
	return &Queue{int(id), fmt.Sprintf("System V queue %s (msqid %d)", key, int(id))}, nil
}

// Open is the queue with an identifier that is known from elsewhere. Nothing is checked.
func Open(id int) *Queue {
	return &Queue{sysv.Clamp(id, math.MaxInt32), fmt.Sprintf("System V queue (msqid %d)", id)}
}

// ID is the identifier, as ipcs shows it.
func (q *Queue) ID() int { return q.id }

// Remove removes the queue with what is in it; whoever waits at it gets EIDRM.
// Errors: EPERM, EINVAL.
func (q *Queue) Remove() error {
	_, _, errno := syscall.RawSyscall(unix.SYS_MSGCTL, uintptr(q.id), unix.IPC_RMID, 0)
	return errs.Path("msgctl", q.name, errno)
}
