package posixmq

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/errs"
)

// mqAttr is the kernel's struct mq_attr.
type mqAttr struct {
	flags, maxmsg, msgsize, curmsgs int
	_                               [4]int
}

// Attr gives the attributes: mq_getattr(3).
func (q *Queue) Attr() (Attr, error) {
	var now mqAttr
	errno := q.getsetattr(nil, &now)
	return Attr{now.flags&unix.O_NONBLOCK != 0, now.maxmsg, now.msgsize, now.curmsgs},
		errs.Path("mq_getattr", q.name, errno)
}

// SetNonblock sets or clears O_NONBLOCK, the only attribute that mq_setattr(3) can
// change; it belongs to the open queue and whoever inherits its descriptor. A call
// that sleeps already goes on sleeping.
func (q *Queue) SetNonblock(nonblock bool) error {
	var set mqAttr
	if nonblock {
		set.flags = unix.O_NONBLOCK
	}
	return errs.Path("mq_setattr", q.name, q.getsetattr(&set, nil))
}

func (q *Queue) getsetattr(set, old *mqAttr) syscall.Errno {
	_, _, errno := syscall.RawSyscall(unix.SYS_MQ_GETSETATTR, uintptr(q.Fd()),
		uintptr(unsafe.Pointer(set)), uintptr(unsafe.Pointer(old)))
	return errno
}
