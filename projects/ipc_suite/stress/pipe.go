package stress

import (
	"bufio"
	"errors"
	"io"

	"golang.org/x/sys/unix"

	"unpipc/gobind/pipe"
)

// pipeScenario has several writers at one pipe. Worker 0 reads; when it is killed nobody
// takes its place.
var pipeScenario = Scenario{
	Name:     "pipe",
	Checks:   "writes of up to PIPE_BUF are neither mixed nor lost; with the reader dead every writer gets EPIPE",
	Sabotage: "one record is not written",
	workers:  4, ops: 2000, victim: 1, saboteur: 2,
	deaths: func(i int) []point {
		if i == 0 {
			return []point{before}
		}
		return []point{before, middle, after, outside}
	},
	last:  func(i int) bool { return i == 0 },
	round: pipeRound,
	work: func(w *worker) error {
		if w.index == 0 {
			_ = unix.Close(firstFd + 1)
			return w.readPipe(pipe.NewReader(firstFd))
		}
		_ = unix.Close(firstFd)
		return w.writePipe(pipe.NewWriter(firstFd + 1))
	},
}

// pipeBuf is PIPE_BUF: the largest write that is atomic, in bytes.
const pipeBuf = 4096

func pipeRound(r *round) error {
	in, out, err := pipe.New(0)
	if err != nil {
		return err
	}
	r.files = []int{in.Fd(), out.Fd()}
	defer func() { // those that are still open
		_, _ = in.Close(), out.Close()
	}()
	dead, writing := false, r.sc.workers-1
	r.ended = func(i int, killed bool) error {
		switch {
		case i == 0:
			dead = killed
			r.files[0] = -1
			return in.Close()
		case killed:
			return nil
		}
		if writing--; writing == 0 {
			return out.Close() // the reader has come to the end
		}
		return nil
	}
	if err := r.run(); err != nil {
		return err
	}
	var lost losses
	if dead {
		lost.unknown = r.ops * maxWorkers // what was in the pipe
	}
	for i := 1; i < r.sc.workers; i++ {
		s := &r.page.slots[i]
		all := s.done.Load() == r.ops
		err := r.verify(all || dead && s.state.Load() == 1, "a writer ends with its work or with EPIPE",
			"writer %d after %d records, with a reader that lives: %t", i, s.done.Load(), !dead)
		if err != nil {
			return err
		}
	}
	return r.delivered([]int{1, 2, 3}, lost)
}

func (w *worker) writePipe(out *pipe.Writer) error {
	buf := make([]byte, pipeBuf)
	for w.begin() {
		m := w.compose(buf, w.index, w.op)
		w.at(middle)
		if !w.wrong() {
			_, err := out.Write(m)
			if errors.Is(err, unix.EPIPE) {
				w.slot.state.Store(1)
				return nil
			} else if err != nil {
				return err
			}
		}
		w.end()
	}
	return nil
}

func (w *worker) readPipe(in *pipe.Reader) error {
	stream := bufio.NewReaderSize(in, 64<<10)
	buf := make([]byte, pipeBuf)
	var last [maxWorkers]uint64
	for {
		_, err := io.ReadFull(stream, buf[:least])
		if err == io.EOF {
			return nil
		}
		w.next()
		sender, op := from(buf)
		size := least
		if sender >= 0 && sender < w.sc.workers {
			size = w.size(sender, op, pipeBuf)
		}
		if err == nil {
			_, err = io.ReadFull(stream, buf[least:size])
		}
		if err = errors.Join(w.verify(err == nil, "no record is written in part", "%v", err), w.authentic(buf[:size], pipeBuf)); err != nil {
			return err
		}
		if err := w.verify(op > last[sender], "a writer's records keep their order",
			"writer %d: record %d after %d", sender, op, last[sender]); err != nil {
			return err
		}
		last[sender] = op
		w.taken(sender, op)
		w.end()
	}
}
