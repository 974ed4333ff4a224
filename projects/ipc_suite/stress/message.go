package stress

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strconv"

	"unpipc/projects/internal/message"
)

// least is the size of the smallest message, in bytes.
const least = 16

// size is how long a message is: so many bytes at most, as the seed has it.
func (s *setting) size(worker int, op uint64, most int) int {
	return least + int(s.choose(uint64(most-least+1), uint64(worker), op, 's'))
}

// sequence is the number in a message; 0 is in none.
func sequence(worker int, op uint64) uint64 { return uint64(worker+1)<<32 | op }

// compose is a worker's message, whose bytes follow from the worker and the operation.
func (s *setting) compose(buf []byte, worker int, op uint64) []byte {
	m := buf[:s.size(worker, op, len(buf))]
	message.Fill(m, sequence(worker, op))
	return m
}

// from is who has sent a message, in which operation.
func from(m []byte) (worker int, op uint64) {
	seq := binary.LittleEndian.Uint64(m)
	return int(seq>>32) - 1, seq & (1<<32 - 1)
}

// authentic verifies that a message is one that was sent, as it was sent. most is the
// sender's limit.
func (w *worker) authentic(m []byte, most int) error {
	const invariant = "a message comes as it was sent"
	if len(m) < least {
		return w.verify(false, invariant, "one has %d bytes", len(m))
	}
	sender, op := from(m)
	if sender < 0 || sender >= w.sc.workers || op == 0 || op > w.ops {
		return w.verify(false, invariant, "no message begins with % x", m[:8])
	}
	right := w.compose(make([]byte, most), sender, op)
	return w.verify(bytes.Equal(m, right), invariant, "message %d of worker %d is another one", op, sender)
}

// taken notes that a message has come.
func (w *worker) taken(sender int, op uint64) { w.page.seen[sender][op].Add(1) }

// losses are messages that went with a killed receiver.
type losses struct {
	known   []uint64 // their sequence numbers
	unknown uint64   // how many more it may be
}

// delivered verifies that what a worker has sent has come once, that what it was killed
// at has come at most once, and that nothing is missing but what was lost.
func (r *round) delivered(senders []int, lost losses) error {
	for _, i := range senders {
		s := &r.page.slots[i]
		for op := uint64(1); op <= s.begun.Load(); op++ {
			n := r.page.seen[i][op].Load()
			if err := r.verify(n <= 1, "no message comes twice", "message %d of worker %d came %d times", op, i, n); err != nil {
				return err
			}
			if _, doubtful := s.doubtful(op); n == 1 || doubtful || slices.Contains(lost.known, sequence(i, op)) {
				continue
			}
			if lost.unknown > 0 {
				lost.unknown--
				continue
			}
			return r.verify(false, "every message comes", "message %d of worker %d is missing", op, i)
		}
	}
	return nil
}

func decimal(n int) string { return strconv.Itoa(n) }
