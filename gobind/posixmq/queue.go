// Package posixmq gives POSIX message queues: mq_overview(7), UNPv2 chapter 5.
//
// A queue has a name that begins with a slash and holds messages with priorities,
// highest first, oldest first within one. [Queue.Send] and [Queue.Receive] are
// mq_send and mq_receive themselves: they sleep in the kernel, on a thread of their
// own, and count as waiters there. The context forms wait in Go's poller instead
// and hold no thread, however many wait.
//
// # Errors
//
// Every error of a queue is a *fs.PathError with its name: EAGAIN on a non-blocking
// queue that is full or empty, EMSGSIZE for a message over the queue's size or a
// buffer under it, EBADF after Close or against the access mode, ETIMEDOUT at a
// deadline, EINVAL for a priority over 32767. The end of a context is its cause.
// EINTR is never returned.
//
// # Caveats
//
//   - A buffer to receive into must have room for MsgSize bytes ([Queue.Attr]),
//     however small the message is.
//   - Whoever waits in a context form is no waiter to the kernel: a message goes to
//     a sleeping Receive first, of this or of any other process, and mq_notify fires
//     although a ReceiveContext waits. Those who wait in one Queue get their turn in
//     the order in which they came.
//   - A Queue takes two descriptors, the other one for trying what need not sleep, and
//     waiting in a context form one more for each direction, from the first time until
//     Close.
//   - A registration for notification is this process's, not a Queue's. Linux ends it
//     when this process closes any descriptor of the same queue, where POSIX says the
//     one it was made through: that of another Queue, or of /dev/mqueue/NAME.
//   - With the first [Queue.NotifyThread] glibc starts a thread and opens a netlink
//     socket, which stay until the process ends.
//   - Deadlines are times of the real-time clock and move when it is set. A context's
//     time-out does not.
//   - O_NONBLOCK belongs to the open file description, which a child that inherits
//     the descriptor shares. Descriptors are close-on-exec.
//   - A queue stays until it is unlinked, with what is in it, but no longer than the
//     kernel runs.
package posixmq

/*
#cgo CFLAGS: -I${SRCDIR}/../../capi
#include <stdlib.h>
#include "unp_posixmq.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	_ "unpipc/capi"
	_ "unpipc/csrc/posixmq"
	"unpipc/gobind/internal/errs"
)

// Queue is an open message queue. Its methods may be called from several goroutines
// at once.
type Queue struct {
	name  string
	fd    atomic.Int32
	tryFd atomic.Int32 // of trial; -1 if there is none

	sending, receiving sleepers

	// Held for reading by calls that do not sleep and must not be made on the
	// number of a descriptor that Close has given back.
	mu sync.RWMutex

	receivers, senders line
}

// Attr are the attributes of a queue: mq_getattr(3).
type Attr struct {
	Nonblock bool // O_NONBLOCK of this open queue
	MaxMsg   int  // messages that the queue can hold
	MsgSize  int  // bytes that a message may have
	CurMsgs  int  // messages it holds now
}

// Open opens a queue. flags are an access mode (unix.O_RDONLY, O_WRONLY, O_RDWR) and
// any of O_CREAT, O_EXCL and O_NONBLOCK. A queue that is created gets exactly this
// mode, whatever the umask, and MaxMsg and MsgSize of attr; nil takes the system's
// defaults. See mq_open(3).
//
// Further errors: ENOENT, EEXIST, EACCES (also a second slash in the name), EINVAL (no
// slash in front, or attributes of 0 or over the limits), EMFILE (descriptors, or the
// bytes that RLIMIT_MSGQUEUE allows a user), ENOSPC (queues_max), ENAMETOOLONG.
func Open(name string, flags int, mode uint32, attr *Attr) (*Queue, error) {
	fd, err := open(name, flags, mode, attr)
	if err != nil {
		return nil, err
	}
	q := &Queue{
		name:      name,
		receivers: line{events: unix.EPOLLIN, turn: make(chan struct{}, 1)},
		senders:   line{events: unix.EPOLLOUT, turn: make(chan struct{}, 1)},
	}
	q.fd.Store(int32(fd))
	q.tryFd.Store(int32(openAgain(fd, flags)))
	return q, nil
}

// openAgain opens the same queue non-blocking, for [trial]; -1 if this process may not,
// as it may create a queue with a mode that keeps it from opening it.
func openAgain(fd, flags int) int {
	path := fmt.Sprintf("/proc/self/fd/%d", fd)
	again, err := unix.Open(path, flags&unix.O_ACCMODE|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1
	}
	return again
}

func (q *Queue) trial() trial {
	if fd := q.tryFd.Load(); fd >= 0 {
		return trial{int(fd), nil}
	}
	return trial{q.Fd(), &over}
}

func open(name string, flags int, mode uint32, attr *Attr) (int, error) {
	if flags&unix.O_CREAT == 0 || flags&unix.O_EXCL != 0 {
		return openOnce(name, flags, mode, attr)
	}
	// Only whoever creates the queue may set its mode, so find out who does.
	for {
		fd, err := openOnce(name, flags|unix.O_EXCL, mode, attr)
		if !errors.Is(err, fs.ErrExist) {
			return fd, err
		}
		fd, err = openOnce(name, flags&^unix.O_CREAT, mode, attr)
		if !errors.Is(err, fs.ErrNotExist) {
			return fd, err
		}
	}
}

func openOnce(name string, flags int, mode uint32, attr *Attr) (int, error) {
	if strings.IndexByte(name, 0) >= 0 {
		return -1, errs.Path("mq_open", name, unix.EINVAL)
	}
	c := C.CString(name)
	defer C.free(unsafe.Pointer(c))
	var size *C.struct_unp_mq_size
	if attr != nil {
		size = &C.struct_unp_mq_size{maxmsg: C.long(attr.MaxMsg), msgsize: C.long(attr.MsgSize)}
	}
	var fd C.int
	if errno := C.unp_mq_open(c, C.int(flags), C.mode_t(mode), size, &fd); errno != 0 {
		return -1, errs.Path("mq_open", name, syscall.Errno(errno))
	}
	if flags&unix.O_CREAT != 0 {
		if err := unix.Fchmod(int(fd), mode); err != nil {
			unix.Close(int(fd))
			C.unp_mq_unlink(c) // all or nothing
			return -1, errs.Path("fchmod", name, errs.Errno(err))
		}
	}
	return int(fd), nil
}

// Unlink removes the name; the queue is gone when the last descriptor is closed. See
// mq_unlink(3).
// Errors: ENOENT, EACCES (only the owner may), EINVAL, ENAMETOOLONG.
func Unlink(name string) error {
	if strings.IndexByte(name, 0) >= 0 {
		return errs.Path("mq_unlink", name, unix.EINVAL)
	}
	c := C.CString(name)
	defer C.free(unsafe.Pointer(c))
	return errs.Path("mq_unlink", name, syscall.Errno(C.unp_mq_unlink(c)))
}

// Close closes the queue, ends this process's registration for notification at it,
// and makes the context forms that wait fail with EBADF. It may be called while they
// do; a Send or Receive that sleeps in the kernel goes on, as in C. A function given
// to NotifyThread that has begun may still be running. See mq_close(3).
// Error: EBADF the second time.
func (q *Queue) Close() error {
	q.mu.Lock()
	fd := int(q.fd.Swap(-1))
	err := unix.Close(fd)
	if again := int(q.tryFd.Swap(-1)); again >= 0 {
		unix.Close(again)
	}
	q.mu.Unlock()
	registrations.forget(q) // also one that was made until just now
	// Not under the lock: whoever waits is waited for, and may be about to try.
	q.receivers.close()
	q.senders.close()
	return errs.Path("mq_close", q.name, errs.Errno(err))
}

// Name is the name the queue was opened by.
func (q *Queue) Name() string { return q.name }

// Fd is the descriptor, which stays the queue's; it can be polled. -1 after Close.
func (q *Queue) Fd() int { return int(q.fd.Load()) }
