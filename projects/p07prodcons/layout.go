package p07prodcons

import (
	"unsafe"
)

// Variant is how the members wait for each other.
type Variant int32

// The variants. While and Broadcast are right, the others are known mistakes.
const (
	While     Variant = iota // two conditions, signal, tested in a loop
	If                       // tested once: what was true at the signal need not be true later
	Signal                   // one condition for both: the signal may wake one of the wrong kind
	Broadcast                // one condition for both, and everybody is woken
)

// Variants are their names.
var Variants = []string{"while", "if", "signal", "broadcast"}

// The conditions.
const (
	notFull = iota
	notEmpty
	begun
	changed // what the owner of a run waits for
)

// Kind is what a member does.
type Kind int32

const (
	Producer Kind = iota
	Consumer
)

func (k Kind) letter() string { return "PC"[k : k+1] }

// reason is why a run stopped before its end.
type reason int32

const (
	goesOn reason = iota
	interrupted
	deadlock
	died
	noOutput
)

func (r reason) String() string {
	return []string{"", "the run was interrupted", "deadlock: all threads wait",
		"another member of the run died",
		"a member could not write its output"}[r]
}

const (
	// magic is written last, when others may use the buffer.
	magic      = "PRODCON1"
	maxMembers = 1024
)

// buffer is the monitor's head in shared memory. Slots and bits follow it.
type buffer struct {
	magic    uint64
	variant  Variant
	capacity int32
	items    int64
	owner    int32 // process that began the run
	shared   int32 // between processes
	_        [32]byte
	mutex    [64]byte
	cond     [4][64]byte
	// All that follows is protected by the mutex.
	produced, consumed       int64
	waits                    [2]int64 // at notFull, notEmpty: the statistics
	twice, strange, disorder int64    // what was wrong with items
	changes                  int64
	filled, in, out          int32
	begun                    int32
	stop                     reason
	waiting                  [2]int32 // threads in pthread_cond_wait, by condition
	woken                    [2]int32 // of these, those that a signal has been sent for
	members, present         int32
	numbers                  [2]int32
	stuck                    int32 // members that waited at a deadlock
	_                        int32
	member                   [maxMembers]member
}

type member struct {
	sent   int64 // items it has produced
	seen   int64 // number of its last item that was consumed
	pid    int32
	kind   Kind
	number int32 // of P1, P2, … or C1, C2, …
	gone   int32
}

type slot struct {
	item     int64
	seq      int64 // of its producer's items
	producer int64 // member
}

const (
	headSize = int64(unsafe.Sizeof(buffer{}))
	slotSize = int64(unsafe.Sizeof(slot{}))
)

// bufferSize is how many bytes a buffer takes.
func bufferSize(capacity int, items int64) int64 {
	return headSize + int64(capacity)*slotSize + (items/64+1)*8
}
