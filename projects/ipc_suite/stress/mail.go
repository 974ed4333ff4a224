package stress

import (
	"errors"

	"golang.org/x/sys/unix"
)

// mail is a queue of messages with classes, such as priorities or types, that several
// workers send to and several receive from.
type mail struct {
	most    int // bytes in a message
	classes uint64
	// try sends without sleeping, and fails with EAGAIN where there is no room; send sleeps.
	try, send func(m []byte, class uint64) error
	// receive sleeps for some time, and fails with EAGAIN when nothing has come.
	receive func(buf []byte) (n int, class uint64, err error)
	// first says that a message of one class goes before all of another class that are
	// there at the same time. May be nil: there is no such order.
	first func(class, other uint64) bool
	// wrong are the classes that the message of a saboteur is sent with, once each.
	wrong func(class uint64) []uint64
}

// Of the workers at a mail, those with the first numbers receive.
const receivers = 2

var senders = []int{2, 3, 4}

// mailDeaths are those of workers at a mail. The middle of a receiver's operation is when
// it has the message in its hands and nobody knows.
func mailDeaths(int) []point { return []point{before, middle, after, outside} }

// mailRound runs the workers of a mail and verifies that all has come.
func (r *round) mailRound() error {
	sending := len(senders)
	var lost losses
	r.ended = func(i int, killed bool) error {
		if i < receivers && killed {
			r.inHands(i, &lost)
		}
		if i >= receivers && !killed {
			if sending--; sending == 0 {
				r.page.over.Store(1)
			}
		}
		return nil
	}
	if err := r.run(); err != nil {
		return err
	}
	return r.delivered(senders, lost)
}

// inHands adds what a killed receiver had taken and not dealt with.
func (r *round) inHands(receiver int, lost *losses) {
	if seq := r.page.slots[receiver].state.Swap(0); seq != 0 {
		lost.known = append(lost.known, seq)
	} else if r.plan.deaths[receiver][r.members[receiver].generation].at == outside {
		lost.unknown++ // perhaps, between the system call and the note of it
	}
}

func (w *worker) atMail(m *mail) error {
	if w.index < receivers {
		return w.receiveMail(m)
	}
	return w.sendMail(m)
}

// class is that of a message, from 1 on.
func (s *setting) class(worker int, op, classes uint64) uint64 {
	return 1 + s.choose(classes, uint64(worker), op, 'c')
}

func (w *worker) sendMail(m *mail) error {
	buf := make([]byte, m.most)
	for w.begin() {
		letter := w.compose(buf, w.index, w.op)
		class := w.class(w.index, w.op, m.classes)
		w.at(middle)
		classes := []uint64{class}
		if w.wrong() {
			classes = m.wrong(class)
		}
		for _, class := range classes {
			err := m.try(letter, class)
			if errors.Is(err, unix.EAGAIN) {
				w.slot.full.Add(1)
				err = m.send(letter, class)
			}
			if err != nil {
				return err
			}
		}
		w.end()
	}
	return nil
}

func (w *worker) receiveMail(m *mail) error {
	buf := make([]byte, m.most)
	var last [maxWorkers]map[uint64]uint64 // op by class
	// there[c] are the messages that were certainly there, by sender, when one of class c
	// was taken.
	there := make([][maxWorkers]uint64, m.classes+1)
	for {
		over := w.page.over.Load() == 1
		var done [maxWorkers]uint64
		for _, i := range senders {
			done[i] = w.page.slots[i].done.Load()
		}
		w.next()
		n, class, err := m.receive(buf)
		if errors.Is(err, unix.EAGAIN) {
			w.end()
			if over {
				return nil // all senders had ended before, and nothing is left
			}
			continue
		} else if err != nil {
			return err
		}
		letter := buf[:n]
		if n >= least {
			w.slot.state.Store(sequence(from(letter))) // in its hands
		}
		if err := w.authentic(letter, m.most); err != nil {
			return err
		}
		sender, op := from(letter)
		right := w.class(sender, op, m.classes)
		if err := w.verify(class == right, "a message has the class that it was sent with",
			"message %d of worker %d has %d instead of %d", op, sender, class, right); err != nil {
			return err
		}
		w.at(middle)
		if last[sender] == nil {
			last[sender] = map[uint64]uint64{}
		}
		if err := w.verify(op > last[sender][class], "messages of one sender and class keep their order",
			"message %d of worker %d came after %d", op, sender, last[sender][class]); err != nil {
			return err
		}
		last[sender][class] = op
		for other := uint64(1); m.first != nil && other <= m.classes; other++ {
			if !m.first(class, other) {
				continue
			}
			if err := w.verify(there[other][sender] < op, "the class that goes first is received first",
				"message %d of worker %d, of class %d, was there when one of class %d was taken", op, sender, class, other); err != nil {
				return err
			}
		}
		there[class] = done
		w.taken(sender, op)
		w.slot.state.Store(0)
		w.end()
	}
}
