package sysvmq

/*
#include "unp_sysvmq.h"
*/
import "C"

import (
	"syscall"
	"time"

	"unpipc/gobind/internal/errs"
	"unpipc/gobind/internal/sysv"
)

// Stat is the state of a queue: struct msqid_ds, msgctl(2).
type Stat struct {
	ID             int
	Key            Key
	UID, GID       int // owner
	CreatorUID     int
	CreatorGID     int
	Mode           uint32 // permission bits
	Messages       int    // in the queue now
	Bytes          int    // of their data
	MaxBytes       int    // that the queue may hold: msg_qbytes
	LastSender     int    // pid of the last msgsnd, 0 if there was none
	LastReceiver   int
	Sent, Received time.Time // last time, zero if never
	Changed        time.Time // created, or owner, mode or size set
}

// Stat reads the state of the queue (IPC_STAT). Errors: EACCES without read permission.
func (q *Queue) Stat() (Stat, error) {
	var s C.struct_unp_msg_stat
	errno := syscall.Errno(C.unp_msg_stat(C.int(q.id), &s))
	return newStat(&s), errs.Path("msgctl", q.name, errno)
}

// Set changes owner (UID, GID), Mode and MaxBytes to those of s, which one has from
// [Queue.Stat] (IPC_SET). Errors: EPERM (not the owner, or MaxBytes over msgmnb without
// privilege).
func (q *Queue) Set(s Stat) error {
	c := C.struct_unp_msg_stat{
		uid: C.uint32_t(s.UID), gid: C.uint32_t(s.GID),
		mode: C.uint32_t(s.Mode), qbytes: C.uint64_t(s.MaxBytes),
	}
	return errs.Path("msgctl", q.name, syscall.Errno(C.unp_msg_set(C.int(q.id), &c)))
}

// Info are the limits of this IPC namespace and what is used of them.
type Info struct {
	MaxMessage    int // bytes in a message: msgmax
	MaxQueueBytes int // a new queue's MaxBytes: msgmnb
	MaxQueues     int // msgmni
	Queues        int // there are now
	Messages      int // in all queues
	Bytes         int // in all queues
}

// ReadInfo reads them (IPC_INFO and MSG_INFO). Error: *os.SyscallError.
func ReadInfo() (Info, error) {
	i, _, err := readInfo()
	return i, err
}

func readInfo() (info Info, highest int, err error) {
	var c C.struct_unp_msg_info
	if errno := syscall.Errno(C.unp_msg_info(&c)); errno != 0 {
		return info, 0, errs.Call("msgctl", errno)
	}
	return Info{
		MaxMessage: int(c.msgmax), MaxQueueBytes: int(c.msgmnb), MaxQueues: int(c.msgmni),
		Queues: int(c.queues), Messages: int(c.messages), Bytes: int(c.bytes),
	}, int(c.highest), nil
}

// List is the state of every queue in this IPC namespace, readable or not (MSG_STAT_ANY,
// Linux 4.17). Error: *os.SyscallError.
func List() ([]Stat, error) {
	return sysv.List(readInfo, func(index int) (Stat, syscall.Errno) {
		var c C.struct_unp_msg_stat
		errno := syscall.Errno(C.unp_msg_stat_index(C.int(index), &c))
		return newStat(&c), errno
	})
}

func newStat(s *C.struct_unp_msg_stat) Stat {
	return Stat{
		ID: int(s.id), Key: Key(s.key),
		UID: int(s.uid), GID: int(s.gid), CreatorUID: int(s.cuid), CreatorGID: int(s.cgid),
		Mode: uint32(s.mode), Messages: int(s.qnum), Bytes: int(s.cbytes), MaxBytes: int(s.qbytes),
		LastSender: int(s.lspid), LastReceiver: int(s.lrpid),
		Sent: sysv.Time(int64(s.stime)), Received: sysv.Time(int64(s.rtime)), Changed: sysv.Time(int64(s.ctime)),
	}
}
