package l02parallelsort

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"

	"unpipc/gobind/process"
	"unpipc/projects/internal/integers"
)

// LinkFD is the worker's descriptor of what its numbers go through.
const LinkFD = 3

// ErrEnded is the error of a [Link] whose worker has ended before it has sent everything.
var ErrEnded = errors.New("it ended before it had sent its numbers")

// Link is the parent's end of what a worker's numbers come through.
type Link interface {
	// Receive fills p. ended says whether the worker's process has ended: what it had
	// sent before can still be received. Error: ErrEnded.
	Receive(p []byte, ended func() bool) error
	Close() error
}

// Crew is a worker process for each file.
type Crew struct {
	// Workers is the program whose workers sort the files; "": this one's.
	Workers string
	Report  *os.File // where workers and parent say what they have done
	// NewLink makes a link and the descriptor of the worker's end, which close closes.
	NewLink func() (l Link, fd int, close func() error, err error)
}

type worker struct {
	id      int
	file    string
	link    Link
	process *process.Process
	ended   chan struct{} // closed when the next two are there
	status  process.Status
	waitErr error
	numbers []int32
	err     error
}

// Sort starts the workers and returns their numbers, in the order of the files. When one
// fails the others are killed. No worker is left when it returns.
func (c *Crew) Sort(files []string) ([][]int32, error) {
	// The end of the thread that started a worker would end the worker, see Work.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var workers []*worker
	done := make(chan *worker, len(files))
	failure := error(nil)
	for i, file := range files {
		w, err := c.start(i, file)
		if err != nil {
			failure = fmt.Errorf("worker %d (%s): %w", i, file, err)
			break
		}
		workers = append(workers, w)
		go func() {
			w.err = w.receive()
			done <- w
		}()
	}
	fail := func(err error) {
		failure = err
		for _, w := range workers {
			_ = w.process.Signal(unix.SIGKILL)
		}
	}
	if failure != nil {
		fail(failure)
	}
	lists := make([][]int32, len(files))
	told, ready := 0, make([]bool, len(workers))
	for range workers {
		w := <-done
		lists[w.id], ready[w.id] = w.numbers, true
		if w.err != nil && failure == nil {
			fail(fmt.Errorf("worker %d (%s): %w", w.id, w.file, w.err))
		}
		for ; failure == nil && told < len(ready) && ready[told]; told++ {
			if _, err := fmt.Fprintf(c.Report, "Got %d numbers from worker %d\n", len(lists[told]), told); err != nil {
				fail(err)
			}
		}
	}
	if failure != nil {
		return nil, failure
	}
	return lists, nil
}

func (c *Crew) start(id int, file string) (*worker, error) {
	link, fd, closeEnd, err := c.NewLink()
	if err != nil {
		return nil, err
	}
	w := &worker{id: id, file: file, link: link, ended: make(chan struct{})}
	cmd := &process.Cmd{
		Args:  []string{c.Workers, "--worker", strconv.Itoa(id), "--parent", strconv.Itoa(os.Getpid()), "--", file},
		Files: []int{0, int(c.Report.Fd()), 2, fd},
	}
	if c.Workers == "" {
		cmd.Args[0], cmd.Path = os.Args[0], "/proc/self/exe"
	}
	w.process, err = process.Start(cmd)
	if err = errors.Join(err, closeEnd()); err != nil {
		return nil, errors.Join(err, link.Close())
	}
	go func() {
		w.status, w.waitErr = w.process.Wait()
		close(w.ended)
	}()
	return w, nil
}

func (w *worker) hasEnded() bool {
	select {
	case <-w.ended:
		return true
	default:
		return false
	}
}

// receive receives the numbers and waits for the end of the worker.
func (w *worker) receive() error {
	err := w.receiveNumbers()
	if err != nil && !errors.Is(err, ErrEnded) {
		_ = w.process.Signal(unix.SIGKILL)
		<-w.ended
		return errors.Join(err, w.link.Close())
	}
	// Who still sends finds nobody to read it.
	closeErr := w.link.Close()
	<-w.ended
	if w.status != 0 {
		return errors.New(w.status.String())
	}
	return errors.Join(err, closeErr, w.waitErr)
}

func (w *worker) receiveNumbers() error {
	var count [4]byte
	if err := w.link.Receive(count[:], w.hasEnded); err != nil {
		return err
	}
	n := int32(binary.NativeEndian.Uint32(count[:]))
	if n < 0 {
		return fmt.Errorf("it has sent %d as the count of its numbers", n)
	}
	w.numbers = integers.Room(int(n))
	return w.link.Receive(integers.Bytes(w.numbers), w.hasEnded)
}
