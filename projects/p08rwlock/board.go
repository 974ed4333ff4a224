package p08rwlock

import (
	"math"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"unpipc/gobind/futex"
	"unpipc/gobind/posixshm"
)

// boardSize is how many bytes a lock takes with what it guards.
const boardSize = Size + int(unsafe.Sizeof(guarded{}))

// board is a lock and what it guards, in memory that processes may share. ref/board.h has
// the same layout.
type board struct {
	lock   *RWLock
	memory []byte
	*guarded
}

// guarded is what is proved by: the cells are all equal to those who hold the lock, and
// there are as many writes as the cells say.
type guarded struct {
	entered uint64    // times that the lock was taken, by anybody
	writes  uint64    // times that the cells were written
	inside  [2]uint32 // who hold the lock, by Kind, as they say themselves
	_       [40]byte
	cell    [32]uint64
}

// mapBoard maps the memory that a descriptor stands for. A new lock is made in it unless
// policy is 0: then one must be there.
func mapBoard(fd int, policy Policy) (*board, error) {
	memory, err := unix.Mmap(fd, 0, boardSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fail("mmap", err.(unix.Errno))
	}
	b := &board{memory: memory, guarded: (*guarded)(unsafe.Pointer(&memory[Size]))}
	if policy == 0 {
		b.lock, err = At(memory)
	} else {
		clear(memory[Size:])
		b.lock, err = Init(memory, Attr{Policy: policy, Shared: true})
	}
	if err != nil {
		_ = posixshm.Unmap(memory)
		return nil, err
	}
	return b, nil
}

func (b *board) unmap() error { return posixshm.Unmap(b.memory) }

// access reads or writes the cells for so long and says whether all was as it must be.
// The lock is held by the caller, or is not, as a test has it.
func (b *board) access(kind Kind, hold func()) bool {
	me := atomic.AddUint32(&b.inside[kind], 1)
	right := kind == Reader || me == 1 && atomic.LoadUint32(&b.inside[Reader]) == 0
	first := b.cell[0]
	right = right && b.equal(first)
	if kind == Writer {
		// Half of it is done before, half after: who looks in between sees it.
		b.set(b.cell[:len(b.cell)/2], first+1)
		hold()
		b.set(b.cell[len(b.cell)/2:], first+1)
		atomic.AddUint64(&b.writes, 1)
		first++
	} else {
		hold()
	}
	right = right && b.equal(first) && (kind == Writer || atomic.LoadUint32(&b.inside[Writer]) == 0)
	atomic.AddUint32(&b.inside[kind], ^uint32(0))
	return right
}

func (b *board) set(cells []uint64, value uint64) {
	for i := range cells {
		cells[i] = value
	}
}

func (b *board) equal(value uint64) bool {
	for _, v := range b.cell {
		if v != value {
			return false
		}
	}
	return true
}

// complete says whether no write was lost; the caller holds the lock.
func (b *board) complete() bool { return b.equal(atomic.LoadUint64(&b.writes)) }

// tally is what the workers of one program have seen, in memory that they share.
type tally struct {
	memory []byte
	*common
	worker []record // readers first
}

// common is what the workers of one program have in common.
type common struct {
	end    int64 // of the test, CLOCK_MONOTONIC in ns
	events int64 // lines about events that are still to be printed, and the last one

	// Worker processes begin when the last one of them is there.
	ready   uint32        // so many are
	started atomic.Uint32 // 1: all are, or the test is over
	_       [40]byte
}

// record is what one worker has seen. Only the worker writes it.
type record struct {
	operations  uint64
	wrong       uint64 // operations that were not as they must be
	maxWait     int64  // ns
	starvedWait int64  // ns, the longest wait in which too many others went ahead
	starvedBy   uint64 // so many
	_           [24]byte
}

func tallySize(workers int) int {
	return int(unsafe.Sizeof(common{})) + workers*int(unsafe.Sizeof(record{}))
}

func mapTally(fd, workers int) (*tally, error) {
	memory, err := unix.Mmap(fd, 0, tallySize(workers), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fail("mmap", err.(unix.Errno))
	}
	t := &tally{memory: memory, common: (*common)(unsafe.Pointer(&memory[0]))}
	t.worker = unsafe.Slice((*record)(unsafe.Pointer(&memory[unsafe.Sizeof(common{})])), workers)
	return t, nil
}

// start lets those begin who wait for it.
func (t *tally) start(end int64) {
	atomic.StoreInt64(&t.end, end)
	t.started.Store(1)
	_, _ = futex.Wake(&t.started, math.MaxInt32) // fails only where there is no memory
}

// awaitStart waits until so many workers are there.
func (t *tally) awaitStart(workers int, d time.Duration) {
	if atomic.AddUint32(&t.ready, 1) == uint32(workers) {
		t.start(now() + d.Nanoseconds())
	}
	for t.started.Load() == 0 {
		_ = futex.Wait(&t.started, 0) // or somebody has started meanwhile
	}
}

func (t *tally) unmap() error { return posixshm.Unmap(t.memory) }

// now is CLOCK_MONOTONIC in ns, the same in all processes.
func now() int64 {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) // cannot fail
	return ts.Nano()
}

func milliseconds(ns int64) int64 {
	return time.Duration(ns).Round(time.Millisecond).Milliseconds()
}
