package p08rwlock

import "golang.org/x/sys/unix"

// queue waits for one's turn in the queue of a fair lock; the lock is taken at nil.
func (l *RWLock) queue(kind Kind, patience *patience) error {
	i, ok := l.join(kind)
	if !ok {
		return fail("lock", unix.EAGAIN)
	}
	p := &l.m.place[i]
	var err error
	for p.granted == 0 && err == nil {
		if err = l.sleep(l.turn[i%turns], patience); err == errLost {
			return err
		}
	}
	if p.granted != 0 {
		err = nil // maybe in the last moment
	} else {
		l.leave(i)
	}
	p.next, l.m.free = l.m.free, i
	return err
}

// grant gives the lock to the first in the queue, and a reader takes along the readers
// right behind him. They hold it before they wake up, so that nobody can come between.
func (l *RWLock) grant() {
	m := l.m
	for m.head != nobody && l.may(Kind(m.place[m.head].kind), true) {
		i := m.head
		l.leave(i)
		l.take(Kind(m.place[i].kind))
		m.place[i].granted = 1
		_ = l.turn[i%turns].Broadcast()
	}
}

// join takes a place at the end of the queue, if one is free.
func (l *RWLock) join(kind Kind) (i uint16, ok bool) {
	m := l.m
	switch {
	case m.free != nobody:
		i = m.free
		m.free = m.place[i].next
	case m.used < places:
		i = m.used
		m.used++
	default:
		return 0, false
	}
	m.place[i] = place{next: nobody, prev: m.tail, kind: uint16(kind)}
	if m.tail == nobody {
		m.head = i
	} else {
		m.place[m.tail].next = i
	}
	m.tail = i
	m.waiting[kind]++
	return i, true
}

// leave takes a place out of the queue; it is not free yet.
func (l *RWLock) leave(i uint16) {
	m := l.m
	p := &m.place[i]
	if p.prev == nobody {
		m.head = p.next
	} else {
		m.place[p.prev].next = p.next
	}
	if p.next == nobody {
		m.tail = p.prev
	} else {
		m.place[p.next].prev = p.prev
	}
	m.waiting[p.kind]--
}
