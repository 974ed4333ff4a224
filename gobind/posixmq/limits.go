package posixmq

/*
#include "unp_posixmq.h"
*/
import "C"

import (
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/errs"
)

// Limits are the system's. -1 stands for no fixed limit, which is no error, and for
// a sysctl that cannot be read.
type Limits struct {
	OpenMax    int    // queues that a process may have open: MQ_OPEN_MAX
	Priorities int    // MQ_PRIO_MAX: priorities are 0 to one less
	MsgMax     int    // greatest MaxMsg without privilege: fs.mqueue.msg_max
	MsgSizeMax int    // greatest MsgSize without privilege: fs.mqueue.msgsize_max
	QueuesMax  int    // queues in this IPC namespace: fs.mqueue.queues_max
	Bytes      uint64 // RLIMIT_MSGQUEUE: bytes for all queues of a user
}

// ReadLimits asks for the limits: mq_overview(7), sysconf(3).
// Error: *os.SyscallError.
func ReadLimits() (Limits, error) {
	var l Limits
	var queues, priorities C.long
	if errno := syscall.Errno(C.unp_mq_limits(&queues, &priorities)); errno != 0 {
		return l, errs.Call("sysconf", errno)
	}
	var r unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_MSGQUEUE, &r); err != nil {
		return l, errs.Call("getrlimit", errs.Errno(err))
	}
	return Limits{
		OpenMax: int(queues), Priorities: int(priorities),
		MsgMax: sysctl("msg_max"), MsgSizeMax: sysctl("msgsize_max"), QueuesMax: sysctl("queues_max"),
		Bytes: r.Cur,
	}, nil
}

func sysctl(name string) int {
	text, err := os.ReadFile("/proc/sys/fs/mqueue/" + name)
	if err != nil {
		return -1
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return -1
	}
	return n
}
