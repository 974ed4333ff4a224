// Package seats lets exactly two processes meet at a named shared memory object, and
// lets each see that the other is gone, however it ended.
//
// The object has two seats. Who takes one locks its byte of the object, with a lock of
// the open file (fcntl(2), F_OFD_SETLK): the kernel lets nobody else have it, and frees
// it when the process ends, also by SIGKILL. So nobody has to compare process numbers,
// which come round and which differ from one container to the next.
//
// The first process makes the object and takes the seat [Maker]. The second one waits
// for it, takes the seat [Guest], and removes the name, which has done its work: whatever
// happens then, nothing stays behind. An object whose maker was killed before that is
// replaced by the next maker.
//
// # Errors
//
// [ErrTaken]; ENOSPC where /dev/shm is full; [ErrNobody] if nobody came in time; and
// those of [unpipc/gobind/posixshm].
package seats

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/posixshm"
)

// Seat is one of the two, and the byte of the object that stands for it.
type Seat int

// The seats.
const (
	Maker Seat = 0
	Guest Seat = 1

	remover Seat = 2 // who removes the name
)

// Errors that callers tell apart.
var (
	ErrTaken  = errors.New("the seat is taken")
	ErrNobody = errors.New("nobody came")
)

// End is a process's hold on the object.
type End struct {
	Memory []byte // the mapping
	object *posixshm.Object
	seat   Seat
	seen   bool // the other one
}

// Make makes an object of so many bytes, all zero. format writes what the guest is to
// find; it should write last what the guest waits for.
func Make(name string, bytes int, format func(memory []byte) error) (*End, error) {
	for {
		e, err := tryMake(name, bytes)
		if err != nil {
			return nil, err
		}
		if e == nil {
			continue // what was there is removed, or another one was quicker
		}
		if err := format(e.Memory); err != nil {
			return nil, errors.Join(err, e.RemoveName(), e.Close())
		}
		return e, nil
	}
}

func tryMake(name string, bytes int) (*End, error) {
	o, err := posixshm.Open(name, unix.O_RDWR|unix.O_CREAT, 0o600)
	if err != nil {
		return nil, err
	}
	e := &End{object: o, seat: Maker}
	give := func(err error) (*End, error) { return nil, errors.Join(err, o.Close()) }
	size, err := o.Size()
	if err != nil {
		return give(err)
	}
	if size != 0 {
		return give(e.removeDead())
	}
	if err := e.sit(Maker); err != nil {
		return give(err)
	}
	if named, err := e.named(); err != nil || !named {
		return give(err)
	}
	if size, err = o.Size(); err != nil || size != 0 {
		return give(err) // another one made it, and is gone already
	}
	if err = o.Allocate(bytes); err == nil {
		e.Memory, err = o.Map(bytes, true)
	}
	if err != nil {
		return give(errors.Join(err, e.RemoveName()))
	}
	return e, nil
}

// removeDead removes the name of an object that was made, if its maker is gone. The
// maker's seat is only looked at: a guest would take who sits there for the maker.
func (e *End) removeDead() error {
	if there, err := e.taken(Maker); err != nil {
		return err
	} else if there {
		return fmt.Errorf("%s: %w", e.object.Name(), ErrTaken)
	}
	return e.RemoveName()
}

// Join waits until the object is there, its maker too, and ready says nil, or something
// other than notReady, which is then the error. It gives up at the end of ctx with
// [ErrNobody].
func Join(ctx context.Context, name string, notReady error, ready func(memory []byte) error) (*End, error) {
	for {
		e, err := tryJoin(name, notReady, ready)
		if e != nil || err != nil {
			return e, err
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("%s: %w", name, ErrNobody)
		}
		unix.Nanosleep(&unix.Timespec{Nsec: int64(time.Millisecond)}, nil)
	}
}

func tryJoin(name string, notReady error, ready func([]byte) error) (*End, error) {
	o, err := posixshm.Open(name, unix.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	e := &End{object: o, seat: Guest}
	give := func(err error) (*End, error) { return nil, errors.Join(err, e.Close()) }
	size, err := o.Size()
	if err != nil || size == 0 {
		return give(err)
	}
	if e.Memory, err = o.Map(size, true); err != nil {
		return give(err)
	}
	if there, err := e.PeerThere(); err != nil || !there {
		return give(err)
	}
	if err := ready(e.Memory); errors.Is(err, notReady) {
		return give(nil)
	} else if err != nil {
		return give(fmt.Errorf("%s: %w", name, err))
	}
	if err := e.sit(Guest); err != nil {
		return give(err)
	}
	if err := e.RemoveName(); err != nil {
		return give(err)
	}
	return e, nil
}

// PeerThere says whether the other seat is taken now.
func (e *End) PeerThere() (bool, error) {
	there, err := e.taken(1 - e.seat)
	e.seen = e.seen || there
	return there, err
}

// taken says whether somebody else has the seat.
func (e *End) taken(s Seat) (bool, error) {
	lock := unix.Flock_t{Type: unix.F_WRLCK, Start: int64(s), Len: 1}
	if err := unix.FcntlFlock(uintptr(e.object.Fd()), unix.F_OFD_GETLK, &lock); err != nil {
		return false, &fs.PathError{Op: "fcntl", Path: e.object.Name(), Err: err}
	}
	return lock.Type != unix.F_UNLCK, nil
}

// PeerGone says whether the other one was there and is no more.
func (e *End) PeerGone() (bool, error) {
	there, err := e.PeerThere()
	return err == nil && e.seen && !there, err
}

// AwaitPeer waits, as the maker, until the guest has come, and gives up at the end of
// ctx with [ErrNobody]. The guest may be gone by then: [End.PeerGone].
func (e *End) AwaitPeer(ctx context.Context) error {
	for {
		// Who has come has removed the name, after taking the seat.
		named, err := e.named()
		if err != nil {
			return err
		}
		e.seen = e.seen || !named
		if there, err := e.PeerThere(); err != nil || there || !named {
			return err
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%s: %w", e.object.Name(), ErrNobody)
		}
		unix.Nanosleep(&unix.Timespec{Nsec: int64(time.Millisecond)}, nil)
	}
}

// RemoveName removes the name, if it still stands for this object.
func (e *End) RemoveName() error {
	// One at a time: between looking and removing the name must not change its meaning.
	if err := e.lock(remover, unix.F_WRLCK, unix.F_OFD_SETLKW); err != nil {
		return err
	}
	named, err := e.named()
	if err == nil && named {
		err = posixshm.Unlink(e.object.Name())
	}
	return errors.Join(err, e.lock(remover, unix.F_UNLCK, unix.F_OFD_SETLK))
}

// Close gives up the seat and the memory.
func (e *End) Close() error {
	var err error
	if e.Memory != nil {
		err = posixshm.Unmap(e.Memory)
		e.Memory = nil
	}
	return errors.Join(err, e.object.Close())
}

// sit takes a seat.
func (e *End) sit(s Seat) error {
	err := e.lock(s, unix.F_WRLCK, unix.F_OFD_SETLK)
	if errors.Is(err, unix.EAGAIN) {
		return fmt.Errorf("%s: %w", e.object.Name(), ErrTaken)
	}
	return err
}

func (e *End) lock(s Seat, kind int16, command int) error {
	for {
		lock := unix.Flock_t{Type: kind, Start: int64(s), Len: 1}
		err := unix.FcntlFlock(uintptr(e.object.Fd()), command, &lock)
		if err == unix.EINTR {
			continue
		} else if err != nil {
			return &fs.PathError{Op: "fcntl", Path: e.object.Name(), Err: err}
		}
		return nil
	}
}

// named says whether the name stands for this object.
func (e *End) named() (bool, error) {
	again, err := posixshm.Open(e.object.Name(), unix.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	defer again.Close()
	var ours, theirs unix.Stat_t
	err = errors.Join(unix.Fstat(e.object.Fd(), &ours), unix.Fstat(again.Fd(), &theirs))
	return ours.Dev == theirs.Dev && ours.Ino == theirs.Ino, err
}
