package stress

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"unpipc/gobind/fifo"
	"unpipc/gobind/frame"
)

// fifoScenario has a reader, worker 0, and writers with a FIFO each, in which they send
// frames that are larger than PIPE_BUF. One that is killed leaves a part of a frame, which
// the reader must know for one; the successor makes a FIFO of its own.
var fifoScenario = Scenario{
	Name:     "fifo",
	Checks:   "frames come whole and in order; the part that a killed writer left is known for one",
	Sabotage: "a byte of a frame is changed on the way",
	workers:  4, ops: 400, victim: 1, saboteur: 2,
	deaths: func(i int) []point {
		if i == 0 {
			return nil
		}
		return []point{before, middle, after, outside}
	},
	round: func(r *round) error {
		r.args = []string{r.dir}
		if err := r.run(); err != nil {
			return err
		}
		return r.delivered([]int{1, 2, 3}, losses{})
	},
	work: func(w *worker) error {
		if w.index == 0 {
			return w.readFrames()
		}
		return w.writeFrames()
	},
}

const frameSize = 20_000 // bytes, at most

func (w *worker) fifoPath(worker, generation int) string {
	return filepath.Join(w.args[0], fmt.Sprintf("fifo-%d-%d", worker, generation))
}

func (w *worker) writeFrames() error {
	path := w.fifoPath(w.index, w.generation)
	if err := fifo.Make(path, 0o600); err != nil {
		return err
	}
	out, err := fifo.OpenWriter(context.Background(), path, 0)
	if err != nil {
		return err
	}
	frames := frame.NewWriter(out, 8<<10)
	buf := make([]byte, frameSize)
	for w.begin() {
		m := w.compose(buf, w.index, w.op)
		if w.wrong() {
			m[len(m)/2]++
		}
		if w.dies(middle) { // with half a frame written
			part := binary.LittleEndian.AppendUint32(nil, uint32(len(m)))
			if _, err := out.Write(append(part, m[:len(m)/2]...)); err != nil {
				return err
			}
		}
		w.at(middle)
		if _, err := frames.Write(m); err != nil {
			return err
		}
		if err := frames.Flush(); err != nil {
			return err
		}
		w.end()
	}
	w.slot.state.Store(1)
	return out.Close()
}

// readFrames reads every writer's frames at once.
func (w *worker) readFrames() error {
	ends := make(chan error)
	for i := 1; i < w.sc.workers; i++ {
		go func() {
			for generation := 0; ; generation++ {
				if over, err := w.readStream(i, generation); over || err != nil {
					ends <- err
					return
				}
			}
		}()
	}
	for i := 1; i < w.sc.workers; i++ {
		if err := <-ends; err != nil {
			return err
		}
	}
	return nil
}

// readStream reads what one writer has sent; over says that it has sent everything.
func (w *worker) readStream(sender, generation int) (over bool, err error) {
	path := w.fifoPath(sender, generation)
	in, err := fifo.OpenReader(context.Background(), path, 0)
	for ; errors.Is(err, fs.ErrNotExist); in, err = fifo.OpenReader(context.Background(), path, 0) {
		pause() // it is being started
	}
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, in.Close(), os.Remove(path)) }()
	frames := frame.NewReader(in, 8<<10, frameSize)
	for last := uint64(0); ; {
		m, err := frames.Next()
		if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
			over = w.page.slots[sender].state.Load() == 1
			return over, w.verify(!over || err == io.EOF, "only a killed writer leaves a part of a frame", "worker %d: %v", sender, err)
		} else if err != nil {
			return false, err
		}
		if err := w.authentic(m, frameSize); err != nil {
			return false, err
		}
		from, op := from(m)
		if err := w.verify(from == sender && op > last, "a writer's frames keep their order",
			"frame %d of worker %d after %d", op, from, last); err != nil {
			return false, err
		}
		last = op
		w.taken(sender, op)
	}
}
