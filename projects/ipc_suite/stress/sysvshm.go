package stress

import (
	"bytes"
	"encoding/binary"
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/sysvshm"
)

// sysvShmScenario has a board, a segment that workers attach and detach all the time, and
// in which each has a word; and segments that each makes and removes while it has them
// attached.
var sysvShmScenario = Scenario{
	Name:     "sysv_shm",
	Checks:   "what was written is there for all; a mapping ends with its process, a removed segment with its last mapping",
	Sabotage: "a segment is not removed",
	workers:  4, ops: 800, victim: 1, saboteur: 2,
	deaths: func(int) []point { return []point{before, middle, after, outside} },
	round:  sysvShmRound,
	work:   attachAndDetach,
}

func newSegment(size int) (*sysvshm.Segment, error) {
	return create(func(key sysvshm.Key) (*sysvshm.Segment, error) {
		return sysvshm.Get(key, size, sysvshm.Create|unix.IPC_EXCL|0o600)
	})
}

func sysvShmRound(r *round) (err error) {
	board, err := newSegment(8 * maxWorkers)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, board.Remove()) }()
	memory, err := board.Attach(0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sysvshm.Detach(memory)) }()
	r.args = []string{decimal(board.ID())}
	r.ended = func(i int, killed bool) error {
		m := r.members[i]
		left, err := removeSegments(m.process.Pid())
		if err != nil || killed && r.plan.deaths[i][m.generation].at == outside {
			return err // it may have been killed before it had removed one
		}
		return r.verify(left == 0, "a removed segment is gone with its last mapping", "worker %d has ended and left %d", i, left)
	}
	err = r.run()
	for _, m := range r.members {
		_, errLeft := removeSegments(m.process.Pid()) // of those that were ended by force
		err = errors.Join(err, errLeft)
	}
	if err != nil {
		return err
	}
	for i := range r.sc.workers {
		s := &r.page.slots[i]
		n := binary.LittleEndian.Uint64(memory[8*i:])
		_, doubtful := s.doubtful(s.begun.Load())
		if err := r.verify(n == s.done.Load() || doubtful, "what was written is there",
			"worker %d has %d after operation %d", i, n, s.done.Load()); err != nil {
			return err
		}
	}
	st, err := board.Stat()
	// Who looks at a process in /proc keeps its memory a moment.
	for deadline := time.Now().Add(leakPatience); err == nil && st.Attached != 1 && time.Now().Before(deadline); st, err = board.Stat() {
		pause()
	}
	if err != nil {
		return err
	}
	return r.verify(st.Attached == 1, "a mapping ends with its process", "all but one have ended, %d mappings are there", st.Attached)
}

// removeSegments removes what a process that has ended has left.
func removeSegments(pid int) (n int, err error) {
	segments, err := sysvshm.List()
	for _, st := range segments {
		if maker, ours := keyPID(st.Key); ours && maker == pid&keyPIDMask {
			n++
			err = errors.Join(err, sysvshm.Open(st.ID).Remove())
		}
	}
	return n, err
}

func attachAndDetach(w *worker) error {
	for w.begin() {
		board, err := sysvshm.Open(w.number(0)).Attach(0)
		if err != nil {
			return err
		}
		size := int(1 + w.choose(20_000, uint64(w.index), w.op, 'b'))
		own, err := newSegment(size)
		if err != nil {
			return err
		}
		memory, err := own.Attach(0)
		if err == nil && !w.wrong() {
			err = own.Remove()
		}
		if err != nil {
			return err
		}
		w.at(middle)
		pattern := bytes.Repeat([]byte{byte(w.op)}, size)
		copy(memory, pattern)
		if err := w.verify(len(memory) >= size && bytes.Equal(memory[:size], pattern), "what was written is there", "%d bytes", size); err != nil {
			return err
		}
		binary.LittleEndian.PutUint64(board[8*w.index:], w.op)
		if err := errors.Join(sysvshm.Detach(memory), sysvshm.Detach(board)); err != nil {
			return err
		}
		_, err = own.Stat()
		if err := w.verify(errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EIDRM), "a removed segment is gone with its last mapping",
			"of %d bytes: %v", size, err); err != nil {
			return err
		}
		w.end()
	}
	return nil
}
