package p07prodcons

// put puts the next item into the buffer; false when there is none. Under the mutex, which
// is free for a moment when it returns true.
func (m *monitor) put(me int, quiet bool) bool {
	for m.filled == m.capacity && m.produced < m.items && m.stop == goesOn {
		if m.rest(me) {
			continue
		}
		m.wait(me, notFull)
		if m.variant == If {
			break
		}
	}
	if m.produced == m.items || m.stop != goesOn {
		return false
	}
	b := m.buffer
	b.produced++
	b.member[me].sent++
	m.slots[b.in] = slot{b.produced, b.member[me].sent, int64(me)}
	b.in = (b.in + 1) % b.capacity
	b.filled++
	b.changes++
	if !quiet {
		m.say(me, "Produced", b.produced)
	}
	if b.produced == b.items {
		m.wakeAll()
	}
	m.next(notEmpty)
	return true
}

// take takes an item out of the buffer; false when there will be no more. Under the mutex,
// which is free for a moment when it returns true.
func (m *monitor) take(me int, quiet bool) bool {
	for m.filled == 0 && m.consumed < m.items && m.stop == goesOn {
		if m.rest(me) {
			continue
		}
		m.wait(me, notEmpty)
		if m.variant == If {
			break
		}
	}
	if m.consumed == m.items || m.stop != goesOn {
		return false
	}
	b := m.buffer
	s := m.slots[b.out]
	b.out = (b.out + 1) % b.capacity
	b.filled--
	b.consumed++
	b.changes++
	m.checkOff(s)
	if !quiet {
		m.say(me, "Consumed", s.item)
	}
	if b.consumed == b.items {
		m.wakeAll()
	}
	m.next(notFull)
	return true
}

// checkOff notes that an item was taken out: each one once, and those of a producer in
// order.
func (m *monitor) checkOff(s slot) {
	if s.item < 1 || s.item > m.items {
		m.strange++
		return
	}
	word, bit := &m.bits[s.item/64], uint64(1)<<(s.item%64)
	if *word&bit != 0 {
		m.twice++
	}
	*word |= bit
	from := &m.member[s.producer]
	if s.seq != from.seen+1 {
		m.disorder++
	}
	from.seen = s.seq
}

// takePart is what a member does from its begin to its end, on a thread of its own.
func (m *monitor) takePart(me int, quiet bool) {
	err := keepToCPU(m.cpu)
	m.lock()
	defer m.unlock()
	if err != nil {
		m.failed = err
		m.stopRun(died)
	}
	if m.member[me].kind == Producer {
		for m.buffer.begun == 0 && m.stop == goesOn {
			m.locked(m.cond[begun].Wait(m.mutex))
		}
		for m.put(me, quiet) {
		}
	} else {
		for m.take(me, quiet) {
		}
	}
	m.leave(me)
}
