package stress

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"unpipc/gobind/calc"
	"unpipc/gobind/sunrpc"
)

// rpcScenario has a server of the calculator of exercise 16, worker 0, clients that want
// their sums, workers 1 and 2, and peers that send half a record, nonsense, one byte after
// the other or nothing at all, over as many connections as the server bears.
var rpcScenario = Scenario{
	Name:     "sun_rpc",
	Checks:   "every sum is right and comes, whatever other peers send and whoever is killed; the server keeps no connection",
	Sabotage: "the server adds wrongly",
	workers:  5, ops: 150, victim: 3, saboteur: 0,
	deaths: func(i int) []point {
		if i == 0 {
			return nil
		}
		return []point{before, middle, after, outside}
	},
	round: func(r *round) error {
		r.args = []string{filepath.Join(r.dir, "calc")}
		calling := r.sc.workers - 1
		r.ended = func(_ int, killed bool) error {
			if !killed {
				if calling--; calling == 0 {
					r.page.over.Store(1)
				}
			}
			return nil
		}
		return r.run()
	},
	work: func(w *worker) error {
		switch w.index {
		case 0:
			return w.serveSums()
		case 1, 2:
			return w.askForSums()
		}
		return w.annoy()
	},
}

const (
	rpcConns = 24 // that the server has at a time
	flood    = 16 // connections of one who annoys: two are too many
)

// adder is a calculator that knows addition only.
type adder struct {
	*worker
	one sync.Mutex // there is one count of operations
}

func (a *adder) Apply(_ *sunrpc.Request, op calc.Operation, x, y int32) (int32, error) {
	if op != calc.Add {
		return 0, calc.Malformed
	}
	a.one.Lock()
	defer a.one.Unlock()
	a.next()
	a.end()
	if a.wrongBy() {
		return x + y + 1, nil
	}
	return x + y, nil
}

func (a *adder) Evaluate(*sunrpc.Request, []calc.Token) (int32, error) { return 0, calc.Malformed }

func (w *worker) serveSums() error {
	// Package net opens what it keeps.
	if l, err := net.Listen("tcp4", "127.0.0.1:0"); err == nil {
		_ = l.Close()
	}
	before := descriptors()
	s := sunrpc.NewServer(sunrpc.ServerOptions{MaxConns: rpcConns, MaxRecord: 4096, RecordTimeout: time.Second, IdleTimeout: time.Minute,
		Ended: func(_ net.Addr, err error) {
			if errors.Is(err, unix.EUSERS) {
				w.slot.full.Add(1)
			}
		}})
	calc.Handle(s, &adder{worker: w})
	if _, err := s.Listen("unix", w.args[0]); err != nil {
		return errors.Join(err, s.Close())
	}
	addr, err := s.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return errors.Join(err, s.Close())
	}
	w.page.words[0].Store(uint64(addr.(*net.TCPAddr).Port))
	if err := s.Serve(w.untilOver()); err != nil {
		return err
	}
	now := descriptors()
	return w.verify(now == before, "the server keeps no connection", "%d descriptors are open, %d were", now, before)
}

// server is where the server is, by one of its two networks.
func (w *worker) server(choice uint64) (network, addr string) {
	for w.page.words[0].Load() == 0 {
		pause() // it is being started
	}
	if choice == 0 {
		return "unix", w.args[0]
	}
	return "tcp4", net.JoinHostPort("127.0.0.1", decimal(int(w.page.words[0].Load())))
}

func (w *worker) askForSums() error {
	var conn *sunrpc.Client
	for w.begin() {
		salt := []uint64{uint64(w.index), w.op}
		x, y := int32(w.choose(1e9, append(salt, 'x')...)), int32(w.choose(1e9, append(salt, 'y')...))
		w.at(middle)
		for {
			sum, err := int32(0), error(nil)
			if conn == nil {
				network, addr := w.server(w.choose(2, append(salt, 'n')...))
				conn, err = sunrpc.Dial(context.Background(), network, addr, calc.V2, sunrpc.Options{})
			}
			if err == nil {
				sum, err = calc.NewClient(conn, calc.V2.Version).Apply(context.Background(), calc.Add, x, y)
			}
			if err == nil {
				if err := w.verify(sum == x+y, "a sum is right", "%d + %d is %d", x, y, sum); err != nil {
					return err
				}
				break
			}
			// There was no room for one more, or this process was stopped for too long.
			if conn != nil {
				_ = conn.Close()
				conn = nil
			}
			pause()
		}
		if w.choose(8, append(salt, 'd')...) == 0 { // a connection of its own for the next one
			_ = conn.Close()
			conn = nil
		}
		w.end()
	}
	if conn != nil {
		return conn.Close()
	}
	return nil
}

// annoy does to the server what no client should. Whatever comes of it is right, as long
// as the server goes on.
func (w *worker) annoy() error {
	for w.begin() {
		w.annoyOnce()
		w.end()
	}
	return nil
}

func (w *worker) annoyOnce() {
	salt := []uint64{uint64(w.index), w.op}
	network, addr := w.server(w.choose(2, append(salt, 'n')...))
	dial := func() net.Conn {
		conn, err := net.Dial(network, addr)
		if err != nil {
			conn, _ = net.Pipe() // which nobody reads
		}
		// Nobody has to wait for what the server does not say.
		_ = conn.SetDeadline(time.Now().Add(5 * time.Millisecond))
		return conn
	}
	conn := dial()
	defer conn.Close()
	call := w.nullCall()
	switch w.choose(6, append(salt, 'k')...) {
	case 0: // half a record, and the end
		_, _ = conn.Write(call[:len(call)/2])
	case 1: // half a record, and silence
		_, _ = conn.Write(call[:len(call)/2])
		_, _ = conn.Read(make([]byte, 1))
	case 2: // nonsense
		for i := range call {
			call[i] = byte(w.choose(256, append(salt, uint64(i))...))
		}
		_, _ = conn.Write(call)
		_, _ = conn.Read(call)
	case 3: // one byte after the other
		for i := range call {
			_, _ = conn.Write(call[i : i+1])
		}
		_, _ = conn.Read(call)
	case 4: // many at once
		for range flood {
			defer dial().Close()
		}
	default: // a call whose answer nobody reads
		_, _ = conn.Write(call)
	}
	w.at(middle)
}

// nullCall is a call of procedure 0 as a record: RFC 5531, sections 9 and 11.
func (w *worker) nullCall() []byte {
	words := []uint32{0, uint32(w.op), 0, 2, calc.V2.Number, calc.V2.Version, 0, 0, 0, 0, 0}
	words[0] = 1<<31 | uint32(4*(len(words)-1))
	var b []byte
	for _, word := range words {
		b = binary.BigEndian.AppendUint32(b, word)
	}
	return b
}
