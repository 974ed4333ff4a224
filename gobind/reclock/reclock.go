// Package reclock locks ranges of bytes of a file: UNPv2 9, fcntl(2). The locks are
// advisory: they stop those who ask, and no read or write.
//
// # Two kinds of owner
//
// A lock of [Process] belongs to a process and an inode, as POSIX has it. A lock of
// [Description] belongs to an open file description (Linux's "OFD" locks). They conflict
// with each other, and differ in everything else:
//
//	                            Process              Description
//	two goroutines              never conflict       conflict, if each has opened the file
//	close                       of any descriptor    of the last descriptor of this
//	                            of the file, drops   open file description, drops
//	                            all locks on it      its locks
//	fork                        not inherited        shared with the child, whose
//	                                                 unlocking is the parent's, too
//	exec                        kept                 kept, if the descriptor is
//	a deadlock                  EDEADLK              hangs
//	the holder, to Query        its pid              -1
//
// So whoever uses Process must open the file once in the whole process: os.ReadFile of
// a locked file drops its locks. It is best to lock a file that nobody reads. And one
// process is one owner, however many goroutines it has: [Table] makes goroutines
// exclude each other as well.
//
// # Ranges
//
// A lock that is given for a range which the owner has locked already replaces that
// part; neighbours of one kind become one lock, and unlocking the middle of one makes two.
// Nothing is counted: two locks and one unlock leave it unlocked. Turning a read lock
// into a write lock is not atomic where it has to wait: the read lock stays while it
// waits, so two who both do it deadlock.
//
// Waiters get no turn in order of arrival: on Linux later readers pass a waiting writer.
//
// # Deadlock
//
// The kernel looks for cycles of waiting processes and refuses the lock that would close
// one, with EDEADLK. It takes a process for one waiter: where several goroutines wait and
// another one could still go on, it may refuse without need. POSIX leaves it open; either
// way the answer is to give up what one holds, and to begin again. It is an early
// warning and no proof, and cycles over more than ten processes are not looked for.
//
// # Caveats
//
// There is no C in here: struct flock is the same for the kernel, and fcntl(2) has no logic
// in libc. A lock costs a system call, and the more there are on one file the longer it
// takes, as the kernel keeps them in a list.
package reclock

import (
	"context"
	"syscall"

	"golang.org/x/sys/unix"

	"unpipc/gobind/internal/blocking"
	"unpipc/gobind/internal/errs"
)

// Owner is what a lock belongs to, see the package's introduction.
type Owner int

// The kinds of owner.
const (
	Process     Owner = iota // F_SETLK, F_SETLKW, F_GETLK
	Description              // F_OFD_SETLK, F_OFD_SETLKW, F_OFD_GETLK
)

type command int

const (
	query command = iota
	try
	wait
)

func (o Owner) command(c command) int {
	if o == Description {
		return [...]int{unix.F_OFD_GETLK, unix.F_OFD_SETLK, unix.F_OFD_SETLKW}[c]
	}
	return [...]int{unix.F_GETLK, unix.F_SETLK, unix.F_SETLKW}[c]
}

// Kind says whom a lock keeps out.
type Kind int16

// The kinds of lock.
const (
	Read  Kind = unix.F_RDLCK // writers; the descriptor must be open for reading
	Write Kind = unix.F_WRLCK // everybody; the descriptor must be open for writing
)

func (k Kind) String() string {
	switch k {
	case Read:
		return "read"
	case Write:
		return "write"
	}
	return "unlock"
}

// Range is a range of bytes. It may lie beyond the end of the file.
type Range struct {
	Start  int64
	Length int64 // 0: to the end, however far the file grows; negative: the bytes before Start
	Whence int   // what Start counts from: io.SeekStart, io.SeekCurrent, io.SeekEnd
}

// Bytes is a range from the beginning of the file on.
func Bytes(start, length int64) Range { return Range{Start: start, Length: length} }

// All is every byte of the file, also those still to come.
var All = Range{}

// Lock is a lock as another owner has it.
type Lock struct {
	Kind  Kind
	Range     // from the beginning of the file
	PID   int // -1 for a lock of [Description]; 0 for a process outside this pid namespace
}

// TryLock locks a range, or turns the lock that this owner has on it into that kind. It
// never sleeps.
// Errors: EAGAIN (in conflict with another owner's lock; EACCES of other systems is
// given as EAGAIN), EBADF (the descriptor is not open for the kind), EINVAL (a range
// before the file's beginning; a file that cannot be locked), EOVERFLOW, ENOLCK.
func (o Owner) TryLock(fd int, kind Kind, r Range) error {
	errno := o.call(fd, try, int16(kind), r, nil)
	if errno == unix.EACCES {
		errno = unix.EAGAIN
	}
	return errs.Call("fcntl", errno)
}

// Lock is [Owner.TryLock] that sleeps for as long as there is a conflict.
// Errors: EDEADLK (Process only: the wait would be for ever, and nothing was changed);
// those of TryLock but EAGAIN.
func (o Owner) Lock(fd int, kind Kind, r Range) error {
	return o.LockContext(context.Background(), fd, kind, r)
}

// LockContext is [Owner.Lock] until ctx ends; then nothing was changed.
func (o Owner) LockContext(ctx context.Context, fd int, kind Kind, r Range) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	// Most calls find no conflict, so one that cannot sleep goes first.
	if errno := o.call(fd, try, int16(kind), r, nil); errno != unix.EAGAIN && errno != unix.EACCES {
		return errs.Call("fcntl", errno)
	}
	err := blocking.Do(ctx, func() syscall.Errno { return o.call(fd, wait, int16(kind), r, nil) })
	if errno, ok := err.(syscall.Errno); ok {
		return errs.Call("fcntl", errno)
	}
	return err
}

// Unlock takes this owner's locks off a range. That there were none is no error.
// Errors: ENOLCK (the middle of a lock, and no memory for two), EBADF, EINVAL.
func (o Owner) Unlock(fd int, r Range) error {
	return errs.Call("fcntl", o.call(fd, try, unix.F_UNLCK, r, nil))
}

// Query finds a lock that would keep this owner from locking the range; there may be more.
// It is nil where there is none, though somebody may be about to make one. An owner's own
// locks never count. Errors: EBADF, EINVAL.
func (o Owner) Query(fd int, kind Kind, r Range) (*Lock, error) {
	var found unix.Flock_t
	if errno := o.call(fd, query, int16(kind), r, &found); errno != 0 {
		return nil, errs.Call("fcntl", errno)
	}
	if found.Type == unix.F_UNLCK {
		return nil, nil
	}
	return &Lock{Kind(found.Type), Range{found.Start, found.Len, int(found.Whence)}, int(found.Pid)}, nil
}

// call is one fcntl. A pid other than 0 is refused for Description.
func (o Owner) call(fd int, c command, kind int16, r Range, found *unix.Flock_t) syscall.Errno {
	l := unix.Flock_t{Type: kind, Whence: int16(r.Whence), Start: r.Start, Len: r.Length}
	if fd < 0 {
		return unix.EBADF
	}
	if int(l.Whence) != r.Whence {
		return unix.EINVAL
	}
	for {
		err := errs.Errno(unix.FcntlFlock(uintptr(fd), o.command(c), &l))
		if err == unix.EINTR && c != wait {
			continue
		}
		if found != nil {
			*found = l
		}
		return err
	}
}
