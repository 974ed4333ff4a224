package p07prodcons

import (
	"errors"
	"runtime"
	"strconv"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"unpipc/gobind/pthread"
	"unpipc/gobind/yield"
)

// monitor is a buffer as this process sees it.
type monitor struct {
	*buffer
	mutex *pthread.Mutex
	cond  [4]*pthread.Cond
	slots []slot
	bits  []uint64               // of the items that were consumed
	pace  [maxMembers]yield.Pace // of each member here
	cpu   int                    // on which the members of this process are to be, or anyCPU
	// failed is why one could not be there.
	failed error

	// Of the member that has the mutex:
	turn  int // items that it may move before it lets others in
	moved int // in this turn
	owes  int // condition at which it has to wake one for them
}

// Times that a member lets others run before it sleeps: more than there are others as a rule,
// one of whom has the signal for it, and few enough that it takes less than to sleep.
const yields = 20

// at is the monitor in memory. With make it is made there; or else another has.
func at(memory []byte, make func(b *buffer)) (*monitor, error) {
	b := (*buffer)(unsafe.Pointer(unsafe.SliceData(memory)))
	if make != nil {
		make(b)
	}
	m := &monitor{buffer: b, turn: 1, cpu: anyCPU}
	m.slots = unsafe.Slice((*slot)(unsafe.Pointer(&memory[headSize])), b.capacity)
	m.bits = unsafe.Slice((*uint64)(unsafe.Pointer(&memory[headSize+int64(b.capacity)*slotSize])), b.items/64+1)
	shared := b.shared != 0
	var err error
	if make == nil {
		m.mutex, err = pthread.MutexAt(b.mutex[:])
	} else {
		m.mutex, err = pthread.InitMutex(b.mutex[:], pthread.MutexAttr{Shared: shared, Robust: shared})
	}
	for i := range m.cond {
		if err != nil {
			return nil, err
		}
		if make == nil {
			m.cond[i], err = pthread.CondAt(b.cond[i][:])
		} else {
			m.cond[i], err = pthread.InitCond(b.cond[i][:], pthread.CondAttr{Shared: shared})
		}
		if err == nil {
			m.cond[i].SetAdaptive(yields)
		}
	}
	return m, err
}

// condition is the one that stands for which: Signal and Broadcast make do with one.
func (m *monitor) condition(which int) int {
	if m.variant == While || m.variant == If {
		return which
	}
	return notFull
}

// try ends the program on what cannot happen to a mutex that is used as here.
func try(err error) {
	if err != nil {
		panic(err)
	}
}

// lock, and all else below, takes the mutex or needs it.
func (m *monitor) lock() { m.locked(m.mutex.Lock()) }

func (m *monitor) unlock() {
	m.pay()
	try(m.mutex.Unlock())
}

// locked looks at what a lock call said, nearly always nothing.
func (m *monitor) locked(err error) {
	if err != nil {
		m.inherited(err)
	}
}

// inherited is for the mutex of a dead owner, who may have left anything behind; a condition
// variable is not robust either. So nobody is woken: the run's owner ends it.
func (m *monitor) inherited(err error) {
	if !errors.Is(err, unix.EOWNERDEAD) {
		panic(err)
	}
	try(m.mutex.Consistent())
	m.stop = died
}

// do runs f under the mutex.
func (m *monitor) do(f func()) {
	m.lock()
	defer m.unlock()
	f()
}

func (m *monitor) wakeAll() {
	for _, c := range m.cond {
		try(c.Broadcast())
	}
	m.woken = m.waiting
}

func (m *monitor) stopRun(why reason) {
	if m.stop == goesOn {
		m.stop, m.stuck = why, m.present
	}
	m.wakeAll()
}

// waitFor waits for a condition, but no longer than d; false if nobody woke it.
func (m *monitor) waitFor(which int, d time.Duration) bool {
	m.pay()
	err := m.cond[which].WaitFor(m.mutex, d)
	if errors.Is(err, unix.ETIMEDOUT) {
		return false
	}
	m.locked(err)
	return true
}

func (m *monitor) allWait() bool {
	return m.buffer.begun != 0 && m.waiting[0]+m.waiting[1] == m.present && m.woken[0]+m.woken[1] == 0
}

// wait waits once. When the last one that could wake the others goes to sleep too, it
// looks again after a second: then they are asleep for ever.
func (m *monitor) wait(me, which int) {
	c, before, woken := m.condition(which), m.changes, true
	due := m.settle()
	if m.needsReminder(m.condition(1 - which)) {
		send(due)
		due = m.cond[m.condition(1-which)]
	}
	m.waits[which]++
	m.waiting[c]++
	last := m.allWait()
	switch {
	case last:
		send(due)
		woken = m.waitFor(c, time.Second)
	case due != nil:
		m.locked(m.cond[c].SignalAndWait(due, m.mutex))
	default:
		m.locked(m.cond[c].Wait(m.mutex))
	}
	if !woken && last && m.allWait() && m.changes == before {
		m.stopRun(deadlock)
	}
	m.waiting[c]--
	if m.woken[c] > 0 && (woken || m.woken[c] > m.waiting[c]) {
		m.woken[c]--
	}
}

// A member looks at the clock before so many waits, which take a millisecond or two.
const lookAfter = 64

// rest lets Go's scheduler have this thread for a moment if it has not had it for long, and
// the mutex be free; false if that was not necessary. A thread that never leaves its
// goroutine, and mostly sleeps in C, loses its P after ten milliseconds, and from then on
// again and again: the runtime looks every 20 us, and wakes other threads to look for work.
// More often is not better: to rest is to switch threads four times.
func (m *monitor) rest(me int) bool {
	if !m.pace[me].Due(lookAfter) {
		return false
	}
	m.unlock()
	runtime.Gosched()
	m.lock()
	return true
}

// next ends a step, after which one that waits for which may go on. It cannot before the
// mutex is free, so it is woken when the member's turn is over.
func (m *monitor) next(which int) {
	m.owes = which
	if m.moved++; m.moved >= m.turn {
		m.letIn()
	}
}

// letIn ends a turn: others get the mutex, if there are any that sleep for it.
func (m *monitor) letIn() {
	m.pay()
	m.locked(m.mutex.Relock())
}

// pay wakes one for what was moved in this turn. To be called before the mutex is given up.
func (m *monitor) pay() { send(m.settle()) }

// settle is pay, but that the signal is yet to be sent: to the condition that it returns, if
// it is not nil. One that a signal has been sent for needs no other.
func (m *monitor) settle() (due *pthread.Cond) {
	c := m.condition(m.owes)
	if m.moved == 0 || m.waiting[c] <= m.woken[c] {
		m.moved = 0
		return nil
	}
	m.moved = 0
	if m.variant == Broadcast {
		try(m.cond[c].Broadcast())
		m.woken[c] = m.waiting[c]
		return nil
	}
	m.woken[c]++
	return m.cond[c]
}

// send sends a signal that is due, if there is one.
func send(due *pthread.Cond) {
	if due != nil {
		try(due.Signal())
	}
}

// needsReminder says whether all that wait have been sent a signal. Another one does
// nothing then, unless one was lost on the way: glibc's before 2.41 could lose it (its bug
// 25847). So it is for those who go to sleep and may be the last.
func (m *monitor) needsReminder(c int) bool {
	return m.waiting[c] > 0 && m.woken[c] == m.waiting[c]
}

// say prints a line in one write under the mutex, so that the lines are in the order of
// what they tell.
func (m *monitor) say(me int, did string, item int64) {
	who := &m.member[me]
	line := make([]byte, 0, 64)
	line = append(line, '[')
	line = append(line, who.kind.letter()...)
	line = strconv.AppendInt(line, int64(who.number), 10)
	line = append(line, "] "...)
	line = append(line, did...)
	line = append(line, " item "...)
	line = strconv.AppendInt(line, item, 10)
	line = append(line, '\n')
	if n, err := unix.Write(1, line); err != nil || n != len(line) {
		m.stopRun(noOutput)
	}
}

// join adds a member; false if there is no more room.
func (m *monitor) join(kind Kind, pid int) (me int, ok bool) {
	if m.members == maxMembers {
		return 0, false
	}
	me = int(m.members)
	m.numbers[kind]++
	m.member[me] = member{pid: int32(pid), kind: kind, number: m.numbers[kind]}
	m.members++
	m.present++
	m.wakeAll()
	return me, true
}

// leave takes a member away. It is gone only when nothing is left that can hang.
func (m *monitor) leave(me int) {
	m.present--
	m.wakeAll()
	m.member[me].gone = 1
}
