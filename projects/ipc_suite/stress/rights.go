package stress

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"

	"unpipc/gobind/pipe"
	"unpipc/gobind/unixsock"
)

// rightsScenario has a server, worker 0, and clients that send it the write end of a pipe
// each time, into which it writes the answer. The seed says over which kind of socket.
var rightsScenario = Scenario{
	Name:     "unix_rights",
	Checks:   "a descriptor that was sent is the right one, and the server keeps none, whoever was killed with one on its way",
	Sabotage: "the server does not close a descriptor",
	workers:  4, ops: 400, victim: 1, saboteur: 0,
	deaths: func(i int) []point {
		if i == 0 {
			return nil
		}
		return []point{before, middle, after, outside}
	},
	round: func(r *round) error {
		r.args = []string{filepath.Join(r.dir, "socket")}
		asking := r.sc.workers - 1
		r.ended = func(_ int, killed bool) error {
			if !killed {
				if asking--; asking == 0 {
					r.page.over.Store(1)
				}
			}
			return nil
		}
		return r.run()
	},
	work: func(w *worker) error {
		kind := []unixsock.Kind{unixsock.Stream, unixsock.SeqPacket}[w.choose(2, 'k')]
		if w.index == 0 {
			return w.serveRights(kind)
		}
		return w.askByRights(kind)
	},
}

const keepsNone = "the server keeps no descriptor that it was sent"

// untilOver is a context that ends when there is nothing more to do.
func (w *worker) untilOver() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		for w.page.over.Load() == 0 {
			pause()
		}
		cancel()
	}()
	return ctx
}

// descriptors is how many this process has open.
func descriptors() int {
	fds, _ := filepath.Glob("/proc/self/fd/*")
	return len(fds)
}

func (w *worker) serveRights(kind unixsock.Kind) error {
	prime()
	before := descriptors()
	l, err := unixsock.Listen(kind, w.args[0])
	if err != nil {
		return err
	}
	ctx := w.untilOver()
	var serving sync.WaitGroup
	var one sync.Mutex // there is one count of operations
	var failure error
	for {
		conn, err := l.AcceptContext(ctx)
		if err != nil {
			break
		}
		serving.Go(func() {
			if err := errors.Join(w.serveOne(conn, &one), conn.Close()); err != nil {
				one.Lock()
				failure = errors.Join(failure, err)
				one.Unlock()
			}
		})
	}
	serving.Wait() // all clients have ended
	if err := errors.Join(failure, l.Close()); err != nil {
		return err
	}
	now := descriptors()
	return w.verify(now == before, keepsNone, "%d are open, %d were", now, before)
}

func (w *worker) serveOne(conn *unixsock.Conn, one *sync.Mutex) error {
	buf := make([]byte, least)
	for {
		n, fds, err := conn.ReceiveRights(buf, 1)
		if err == io.EOF || errors.Is(err, unix.ECONNRESET) {
			return nil
		} else if err != nil {
			return err
		}
		one.Lock()
		w.next()
		wrong := w.wrong()
		w.end()
		one.Unlock()
		if err := w.verify(n == least && len(fds) == 1, "a descriptor comes with its message", "%d bytes with %d", n, len(fds)); err != nil {
			return err
		}
		out := pipe.NewWriter(fds[0])
		_, err = out.Write(buf[:n])
		if !wrong {
			err = errors.Join(err, out.Close())
		}
		if err != nil && !errors.Is(err, unix.EPIPE) { // a killed client's pipe has no reader
			return err
		}
		if _, err := conn.Write(buf[:1]); err != nil {
			return nil // it was killed; the next read says the same
		}
	}
}

func (w *worker) askByRights(kind unixsock.Kind) error {
	conn, err := unixsock.Dial(kind, w.args[0])
	for ; errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ECONNREFUSED); conn, err = unixsock.Dial(kind, w.args[0]) {
		pause() // the server is being started
	}
	if err != nil {
		return err
	}
	for w.begin() {
		in, out, err := pipe.New(0)
		if err != nil {
			return err
		}
		question := binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, w.op), uint64(w.index))
		_, err = conn.SendRights(question, out.Fd())
		if err = errors.Join(err, out.Close()); err != nil {
			return err
		}
		w.at(middle)
		answer := make([]byte, least)
		if _, err := conn.Read(answer[:1]); err != nil {
			return err
		}
		n, err := in.Read(answer)
		if err != nil {
			return err
		}
		if err := w.verify(n == least && string(answer) == string(question), "the descriptor leads to who has sent it",
			"% x instead of % x", answer[:n], question); err != nil {
			return err
		}
		// With the server's copy closed there is no writer left.
		if err := unix.SetNonblock(in.Fd(), true); err != nil {
			return os.NewSyscallError("fcntl", err)
		}
		_, err = in.Read(answer)
		if err := w.verify(err == io.EOF, keepsNone, "after question %d of worker %d: %v", w.op, w.index, err); err != nil {
			return err
		}
		if err := in.Close(); err != nil {
			return err
		}
		w.end()
	}
	return conn.Close()
}
