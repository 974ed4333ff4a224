package lockcost

import (
	"errors"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"unpipc/gobind/posixshm"
)

const (
	maxWorkers = 16
	objectSize = 256 // bytes for each lock, more than any has
)

// page is the memory that the workers share: struct page of ref/page.h.
type page struct {
	ready   atomic.Uint32 // workers
	begin   atomic.Uint32 // 1: they are let go; they sleep on it
	set     int32         // identifier of the System V semaphores
	workers int32
	maker   int32         // process whose name the named semaphore has
	awake   atomic.Uint32 // workers that have seen that they are let go
	_       [40]byte

	counter int64
	_       [56]byte

	woken [maxWorkers]int64 // ns, when each was
	done  [maxWorkers]int64
	seen  [2][maxWorkers]int64 // of each round of a barrier: who has come to it

	objects [1 + maxWorkers][objectSize]byte
}

// memory is a mapped page, and the descriptor that leads to it, whose bytes are also
// those that record locks are about.
type memory struct {
	*page
	file  *posixshm.Object
	bytes []byte
}

func newMemory() (*memory, error) {
	object, err := posixshm.Memfd("lockcost", 0)
	if err != nil {
		return nil, err
	}
	if err := object.Allocate(int(unsafe.Sizeof(page{}))); err != nil {
		return nil, err
	}
	return mapMemory(object)
}

func mapMemory(object *posixshm.Object) (*memory, error) {
	bytes, err := object.Map(int(unsafe.Sizeof(page{})), true)
	if err != nil {
		return nil, err
	}
	return &memory{(*page)(unsafe.Pointer(&bytes[0])), object, bytes}, nil
}

func (m *memory) close() error {
	return errors.Join(posixshm.Unmap(m.bytes), m.file.Close())
}

// object is the memory of a lock.
func (m *memory) object(i int) []byte {
	at := int(unsafe.Offsetof(page{}.objects)) + i*objectSize
	return m.bytes[at : at+objectSize]
}

// again opens the page's file anew: an open file description of one's own.
func (m *memory) again() (int, error) {
	path := "/proc/self/fd/" + itoa(m.file.Fd())
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return fd, nil
}

const (
	futexWait = 0
	futexWake = 1
)

// awaitBegin sleeps until the workers are let go, or for a tenth of a second.
func (m *memory) awaitBegin() (begun bool) {
	m.futex(futexWait, 0, &unix.Timespec{Nsec: 1e8})
	return m.begin.Load() != 0
}

// allAwake says whether all workers have seen that they are let go. If not, it lets
// others run first.
func (m *memory) allAwake() bool {
	if m.awake.Load() >= uint32(m.workers) {
		return true
	}
	_, _, _ = syscall.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0)
	runtime.Gosched() // the others may be threads for which there is no P
	return false
}

func (m *memory) letGo() {
	m.begin.Store(1)
	m.futex(futexWake, maxWorkers, nil)
}

func (m *memory) futex(op, value uintptr, limit *unix.Timespec) {
	_, _, _ = syscall.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&m.begin)), op, value,
		uintptr(unsafe.Pointer(limit)), 0, 0)
	runtime.KeepAlive(limit)
}

// now is the monotonic clock, which all processes share.
func now() int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		panic(err) // only without the clock
	}
	return t.Nano()
}
