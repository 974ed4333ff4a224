package stress

import (
	"fmt"
	"sync/atomic"
	"unsafe"

	"unpipc/gobind/mmap"
	"unpipc/gobind/posixshm"
)

const (
	maxWorkers = 8
	arenaSize  = 1 << 18
)

// The least and the greatest number of operations of a worker in a round.
const (
	LeastOps = 20
	MostOps  = 1 << 13
)

// slot is what is known of the workers in one place. Who takes the place of a killed one
// goes on in it.
type slot struct {
	begun, done atomic.Uint64            // numbers of operations, from 1 on
	checked     atomic.Uint64            // invariants that were verified
	full        atomic.Uint64            // times that it met a full queue, or another limit
	state       atomic.Uint64            // the scenario's
	deaths      atomic.Uint64            // of workers in this place, as far as their successors have begun
	doubt       [maxDeaths]atomic.Uint64 // the operation that each was killed in; 0: between two
	_           [64]byte
}

// doubtful says whether a worker was killed in an operation, and which one of them.
func (s *slot) doubtful(op uint64) (generation int, yes bool) {
	deaths := int(s.deaths.Load())
	for i := range deaths {
		if s.doubt[i].Load() == op {
			return i, true
		}
	}
	return deaths, s.begun.Load() == op && s.done.Load() < op
}

// page is the memory that all processes of a round share.
type page struct {
	arena    [arenaSize]byte // the scenario's; first, for the alignment that it may need
	ready    atomic.Uint64   // workers that are about to begin
	over     atomic.Uint64   // 1: there will be nothing more to do
	sabotage atomic.Uint64   // 1 since the saboteur is at it
	slots    [maxWorkers]slot
	seen     [maxWorkers][MostOps + 1]atomic.Uint32 // how often an operation of a worker has had its effect
	words    [256]atomic.Uint64                     // the scenario's
}

func (p *page) bytes() []byte { return unsafe.Slice((*byte)(unsafe.Pointer(p)), unsafe.Sizeof(*p)) }

func newPage() (*page, *posixshm.Object, error) {
	o, err := posixshm.Memfd("stress", 0)
	if err != nil {
		return nil, nil, err
	}
	if err = o.Truncate(int(unsafe.Sizeof(page{}))); err == nil {
		var p *page
		if p, err = mapPage(o); err == nil {
			return p, o, nil
		}
	}
	_ = o.Close()
	return nil, nil, err
}

func mapPage(o *posixshm.Object) (*page, error) {
	memory, err := o.Map(int(unsafe.Sizeof(page{})), true)
	if err != nil {
		return nil, err
	}
	return mmap.View[page](memory, 0)
}

// progress is a number that grows while anybody goes on.
func (p *page) progress() (sum uint64) {
	for i := range p.slots {
		sum += p.slots[i].begun.Load() + p.slots[i].done.Load() + p.slots[i].deaths.Load()
	}
	return sum
}

func (p *page) where(workers int) (text string) {
	for i := range workers {
		s := &p.slots[i]
		text += fmt.Sprintf(", worker %d has begun %d and done %d", i, s.begun.Load(), s.done.Load())
	}
	return text[2:]
}
