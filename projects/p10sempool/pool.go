package p10sempool

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"unpipc/gobind/posixsem"
	"unpipc/gobind/posixshm"
	"unpipc/gobind/pthread"
)

// lockPatience bounds the wait for the lock: who has it has it for microseconds.
const lockPatience = 10 * time.Second

// lockSlice is the longest sleep in it. Who is killed just as an unlock has woken it takes
// that wake-up with it, and the next one sleeps on beside a free lock.
const lockSlice = 50 * time.Millisecond

// pool is a mapped pool.
type pool struct {
	*shared
	name      string
	memory    []byte
	available *posixsem.Sem
	mutex     *pthread.Mutex
}

// at is the pool in memory that has been checked.
func at(name string, memory []byte) (*pool, error) {
	p := &pool{shared: (*shared)(unsafe.Pointer(unsafe.SliceData(memory))), name: name, memory: memory}
	var err error
	if p.available, err = posixsem.At(p.shared.semaphore[:]); err != nil {
		return nil, err
	}
	p.mutex, err = pthread.MutexAt(p.shared.mutex[:])
	return p, err
}

// attach opens and maps a pool that is there.
func attach(name string) (*pool, error) {
	p, err := tryAttach(name)
	if err != nil {
		return nil, named(name, err)
	}
	return p, nil
}

// named is an error with the name of the pool.
func named(name string, err error) error {
	var errno unix.Errno
	if errors.As(err, &errno) {
		return fmt.Errorf("pool %s: %w", name, errno)
	}
	return fmt.Errorf("pool %s: %w", name, err)
}

func tryAttach(name string) (*pool, error) {
	object, err := posixshm.Open(name, unix.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer object.Close()
	var st unix.Stat_t
	if err := unix.Fstat(object.Fd(), &st); err != nil {
		return nil, err
	}
	if st.Uid != uint32(unix.Geteuid()) {
		return nil, errors.New("another user's")
	}
	return mapped(object, st.Size)
}

// mapped maps an object if it is a pool.
func mapped(object *posixshm.Object, size int64) (*pool, error) {
	if size < int64(unsafe.Sizeof(header{})) || size > 1<<30 {
		return nil, errors.New("not a connection pool")
	}
	memory, err := object.Map(int(size), true)
	if err != nil {
		return nil, err
	}
	if err := unfit(memory); err != nil {
		_ = posixshm.Unmap(memory)
		return nil, err
	}
	return at(object.Name(), memory)
}

func (p *pool) unmap() { _ = posixshm.Unmap(p.memory) }

// errLocked says that somebody has kept the lock.
var errLocked = fmt.Errorf("somebody has kept it locked for %v", lockPatience)

// lock locks the pool, and repairs it if the last owner of the lock died.
func (p *pool) lock() error {
	err := p.mutex.TryLock()
	if err == nil {
		return nil
	}
	if errors.Is(err, unix.EBUSY) {
		patience := time.Now().Add(lockPatience)
		err = p.mutex.LockFor(lockSlice)
		for errors.Is(err, unix.ETIMEDOUT) && time.Now().Before(patience) {
			err = p.mutex.LockFor(lockSlice)
		}
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.EOWNERDEAD):
		p.repair()
		return p.mutex.Consistent()
	case errors.Is(err, unix.ETIMEDOUT):
		err = errLocked
	}
	return named(p.name, err)
}

func (p *pool) unlock() {
	if err := p.mutex.Unlock(); err != nil {
		panic(err) // it is ours
	}
}

// repair brings in order what follows from the entries. It is called with the lock: after
// its owner died, when the pool is taken over, and at every look of the manager.
func (p *pool) repair() {
	p.free, p.waiting = p.slots, 0
	slots := p.slot[:p.slots]
	for k := range slots {
		slots[k].holder = 0
	}
	for i := range p.table {
		switch e := &p.table[i]; {
		case e.state == waiting || e.state == granted:
			p.waiting++
		case e.state == holding && e.slot < p.slots && slots[e.slot].holder == 0:
			slots[e.slot].holder = uint32(i) + 1
			p.free--
		case e.state != idle:
			e.state = unused
		}
	}
}

// vacate takes the slot from its holder. With the lock.
func (p *pool) vacate(i int) {
	e := &p.table[i]
	e.state = idle
	if e.slot < p.slots && p.slot[e.slot].holder == uint32(i)+1 {
		p.slot[e.slot].holder = 0
		p.free++
	}
}

// ValidName says whether a name can be one of a pool: a slash, at its beginning only.
func ValidName(name string) bool {
	return len(name) >= 2 && len(name) <= 255 && name[0] == '/' && !strings.ContainsAny(name[1:], "/\x00")
}
