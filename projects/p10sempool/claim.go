package p10sempool

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"unpipc/gobind/posixsem"
	"unpipc/gobind/posixshm"
	"unpipc/gobind/pthread"
	"unpipc/projects/internal/alive"
)

// claimed is a pool with its manager's lock: of the object's file, which nobody else
// takes, and which the kernel drops with the process.
type claimed struct {
	*pool
	object *posixshm.Object
	before int32 // the dead manager that it was taken over from, 0: it is new
}

// claim makes the pool, or takes over the one that workers still use.
func claim(name string, slots int, lends bool) (*claimed, error) {
	patience := time.Now().Add(claimPatience)
	for {
		object, err := create(name)
		if err != nil {
			return nil, named(name, err)
		}
		c, again, err := claimObject(object, slots, lends)
		if err == nil && !again {
			return c, nil
		}
		_ = object.Close()
		if err != nil && (!errors.Is(err, errNoManager) || time.Now().After(patience)) {
			return nil, named(name, err)
		}
		if err != nil {
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// claimPatience is how long a manager waits for the lock where no manager is known that
// has it: one that makes its pool just now, or who removes a dead one's.
const claimPatience = time.Second

var errNoManager = errors.New("somebody has locked it")

// create opens the object, and makes it with exactly mode 0600 if it is not there.
func create(name string) (*posixshm.Object, error) {
	for {
		object, err := posixshm.Open(name, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL, 0o600)
		if errors.Is(err, unix.EEXIST) {
			object, err = posixshm.Open(name, unix.O_RDWR, 0)
			if errors.Is(err, unix.ENOENT) {
				continue
			}
		}
		return object, err
	}
}

// lockObject takes the manager's lock; false if another manager has it.
func lockObject(fd int) (bool, error) {
	err := unix.FcntlFlock(uintptr(fd), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_WRLCK})
	if err == unix.EAGAIN || err == unix.EACCES {
		return false, nil
	}
	return err == nil, err
}

// claimObject claims an object; again says that it is gone, and another one is to be made.
func claimObject(object *posixshm.Object, slots int, lends bool) (c *claimed, again bool, err error) {
	locked, err := lockObject(object.Fd())
	if err != nil {
		return nil, false, err
	}
	var st unix.Stat_t // after the lock: now nobody unlinks it
	if err := unix.Fstat(object.Fd(), &st); err != nil {
		return nil, false, err
	}
	if st.Uid != uint32(unix.Geteuid()) {
		return nil, false, errors.New("another user's")
	}
	if !locked {
		p, err := tryAttach(object.Name())
		if err != nil {
			return nil, false, errNoManager
		}
		defer p.unmap()
		if !alive.Is(int(p.manager), p.managerStarted) {
			return nil, false, errNoManager
		}
		return nil, false, fmt.Errorf("a manager is already running (process %d)", p.manager)
	}
	if st.Nlink == 0 {
		return nil, true, nil
	}
	if halfMade(object.Fd(), st.Size) {
		p, err := makePool(object, slots, lends)
		return &claimed{pool: p, object: object}, false, err
	}
	p, err := mapped(object, st.Size)
	if err != nil {
		return nil, false, fmt.Errorf("%w; nothing was changed", err)
	}
	if p.closed != 0 || !p.inhabited() {
		// Without the lock, which may be damaged; who joins just now will see it.
		p.closed = 1
		_ = p.available.Post()
		err := posixshm.Unlink(object.Name())
		p.unmap()
		return nil, true, err
	}
	if p.slots != uint32(slots) || (p.lends != 0) != lends {
		kind := map[bool]string{true: "connections that are lent", false: "slots"}[p.lends != 0]
		err := fmt.Errorf("workers still use it as a pool of %d %s", p.slots, kind)
		p.unmap()
		return nil, false, err
	}
	if err := p.lock(); err != nil {
		p.unmap()
		return nil, false, err
	}
	p.repair()
	p.unlock()
	return &claimed{p, object, p.manager}, false, nil
}

// halfMade says whether the manager before was killed while it made the object.
func halfMade(fd int, size int64) bool {
	var begin [8]byte
	n, err := unix.Pread(fd, begin[:], 0)
	return size == 0 || err == nil && n == 8 && begin == making
}

// makePool fills in a new object. It has its magic only when all else is in place.
func makePool(object *posixshm.Object, slots int, lends bool) (p *pool, err error) {
	defer func() {
		if err != nil {
			_ = posixshm.Unlink(object.Name())
		}
	}()
	if _, err := unix.Pwrite(object.Fd(), making[:], 0); err != nil {
		return nil, err
	}
	if err := object.Allocate(sharedSize); err != nil {
		return nil, fmt.Errorf("allocate %d bytes: %w", sharedSize, err)
	}
	memory, err := object.Map(sharedSize, true)
	if err != nil {
		return nil, err
	}
	clear(memory[8:])
	if p, err = at(object.Name(), memory); err != nil {
		return nil, err
	}
	h := newHeader(slots, lends)
	h.magic = making
	p.header = h
	p.free = uint32(slots)
	if _, err := posixsem.Init(p.shared.semaphore[:], uint(slots)); err != nil {
		return nil, err
	}
	if _, err := pthread.InitMutex(p.shared.mutex[:], mutexAttr); err != nil {
		return nil, err
	}
	atomic.StoreUint64((*uint64)(unsafe.Pointer(&p.header.magic)), *(*uint64)(unsafe.Pointer(&magic)))
	return p, nil
}

// inhabited says whether a living worker has a place in the pool.
func (p *pool) inhabited() bool {
	for i := range p.table {
		if e := &p.table[i]; e.state != unused && alive.Is(int(e.pid), e.started) {
			return true
		}
	}
	return false
}

// close ends a pool: who waits, or comes, is told. The mapping stays.
func (c *claimed) close() error {
	err := c.lock()
	if err == nil {
		c.closed = 1
		for range min(c.waiting, maxEntries) {
			_ = c.available.Post()
		}
		c.unlock()
	}
	return errors.Join(err, posixshm.Unlink(c.name))
}
