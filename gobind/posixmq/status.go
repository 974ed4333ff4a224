package posixmq

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/errs"
)

// Status is what the kernel tells of a queue beside its attributes.
type Status struct {
	Bytes     int            // of all messages in it
	NotifyPID int            // the registered process, 0 if there is none
	Notify    Notification   // how it is told
	Signal    syscall.Signal // by which signal
}

// Notification is a way of being told.
type Notification int

// The kernel's numbers for SIGEV_SIGNAL, SIGEV_NONE and SIGEV_THREAD.
const (
	BySignal Notification = iota
	ByNothing
	ByThread
)

// Status reads the queue's own line, which /dev/mqueue shows too. The queue must be
// open for reading (EBADF).
func (q *Queue) Status() (Status, error) {
	var buf [256]byte
	n, err := unix.Pread(q.Fd(), buf[:], 0)
	if err != nil {
		return Status{}, errs.Path("read", q.name, errs.Errno(err))
	}
	s, ok := parseStatus(string(buf[:n]))
	if !ok {
		return Status{}, errs.Path("read", q.name, unix.EPROTO)
	}
	return s, nil
}

// parseStatus reads "QSIZE:129 NOTIFY:0 SIGNO:10 NOTIFY_PID:8260"; blanks pad the values.
func parseStatus(line string) (Status, bool) {
	fields := strings.Fields(line)
	names := []string{"QSIZE:", "NOTIFY:", "SIGNO:", "NOTIFY_PID:"}
	var values [4]int
	if len(fields) != len(names) {
		return Status{}, false
	}
	for i, name := range names {
		text, found := strings.CutPrefix(fields[i], name)
		n, err := strconv.Atoi(text)
		if !found || err != nil {
			return Status{}, false
		}
		values[i] = n
	}
	return Status{
		Bytes: values[0], Notify: Notification(values[1]),
		Signal: syscall.Signal(values[2]), NotifyPID: values[3],
	}, true
}

// String is the form in which mq_notify(3) has it.
func (n Notification) String() string {
	switch n {
	case BySignal:
		return "SIGEV_SIGNAL"
	case ByNothing:
		return "SIGEV_NONE"
	case ByThread:
		return "SIGEV_THREAD"
	}
	return fmt.Sprintf("sigev_notify %d", int(n))
}
