package posixmq

/*
#include "unp_posixmq.h"

extern void unpMqNotified(uintptr_t cookie);
*/
import "C"

import (
	"sync"
	"syscall"

	"unpipc/gobind/internal/errs"
)

// NotifySignal asks for a signal when a message comes to the empty queue and nobody
// sleeps in Receive: mq_notify(3). One process a queue can be registered, for one
// notification: to miss none, register again first and then receive until EAGAIN.
// value travels with the signal, for a handler in C to see. Signal 0 is none.
// Errors: EBUSY (somebody is registered, this process included), EINVAL.
func (q *Queue) NotifySignal(sig syscall.Signal, value int) error {
	errno := syscall.Errno(C.unp_mq_notify_signal(C.int(q.Fd()), C.int(sig), C.int(value)))
	return errs.Path("mq_notify", q.name, errno)
}

// NotifyNone registers without being told, which keeps others from registering.
// Errors as for [Queue.NotifySignal].
func (q *Queue) NotifyNone() error {
	return errs.Path("mq_notify", q.name, syscall.Errno(C.unp_mq_notify_none(C.int(q.Fd()))))
}

// NotifyThread is like [Queue.NotifySignal], but calls f on a thread that glibc starts.
// f may register again.
func (q *Queue) NotifyThread(f func()) error {
	cookie := registrations.add(q, f)
	errno := syscall.Errno(C.unp_mq_notify_thread(C.int(q.Fd()),
		(*[0]byte)(C.unpMqNotified), C.uintptr_t(cookie)))
	if errno != 0 {
		registrations.take(cookie)
	}
	return errs.Path("mq_notify", q.name, errno)
}

// NotifyCancel ends this process's registration; it is no error if there is none.
// A function given to NotifyThread may still be running, but is not called any more.
func (q *Queue) NotifyCancel() error {
	errno := syscall.Errno(C.unp_mq_notify_cancel(C.int(q.Fd())))
	if errno == 0 {
		registrations.forget(q)
	}
	return errs.Path("mq_notify", q.name, errno)
}

// registrations are the functions that may still be called, by cookie: taking one out
// decides whether it is called or its registration ended. glibc does not tell when a
// registration ends without firing, so one that another Queue's Close has ended stays
// here until its own Queue is closed.
var registrations = table{pending: map[uintptr]registration{}}

type table struct {
	sync.Mutex
	last    uintptr
	pending map[uintptr]registration
}

type registration struct {
	queue *Queue
	f     func()
}

func (t *table) add(q *Queue, f func()) uintptr {
	t.Lock()
	defer t.Unlock()
	t.last++
	t.pending[t.last] = registration{q, f}
	return t.last
}

func (t *table) take(cookie uintptr) (f func(), ok bool) {
	t.Lock()
	defer t.Unlock()
	r, ok := t.pending[cookie]
	delete(t.pending, cookie)
	return r.f, ok
}

func (t *table) forget(q *Queue) {
	t.Lock()
	defer t.Unlock()
	for cookie, r := range t.pending {
		if r.queue == q {
			delete(t.pending, cookie)
		}
	}
}
