package rpccost

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"unpipc/gobind/kvrpc"
	"unpipc/gobind/sunrpc"
	"unpipc/projects/internal/message"
)

// maxValue is what kv.x lets a value have.
const maxValue = kvrpc.MaxValue

// store is the server: it has the last value.
type store struct {
	size   int
	warmup uint64

	mu     sync.Mutex
	last   uint64
	value  []byte
	filled []byte // the value that a call of the warm-up must have
}

// serve prints the address and serves until ctx ends.
func (r *role) serve(ctx context.Context, out io.Writer) error {
	// As in C: one thread for all datagrams, and no timer while a connection is idle.
	s := sunrpc.NewServer(sunrpc.ServerOptions{DatagramThreads: 1, IdleTimeout: -1, Grace: time.Millisecond})
	s.Handle(kvrpc.Service(&store{
		size: r.size, warmup: r.warmup, value: make([]byte, r.size), filled: make([]byte, r.size),
	}))
	addr, err := s.Listen(r.network, r.addr)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(out, addr); err != nil {
		return err
	}
	return s.Serve(ctx)
}

func (s *store) Put(_ *sunrpc.Request, id kvrpc.WriteID, _, value []byte) (kvrpc.Written, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	seq := id.Sequence
	switch {
	case seq != s.last && seq != s.last+1:
		return kvrpc.Written{}, kvrpc.Stale
	case len(value) != s.size || !message.Stamped(value, seq):
		return kvrpc.Written{}, kvrpc.BadRequest
	}
	if seq <= s.warmup {
		message.Fill(s.filled, seq)
		if !bytes.Equal(value, s.filled) {
			return kvrpc.Written{}, kvrpc.BadRequest
		}
	}
	copy(s.value, value)
	s.last = seq
	return kvrpc.Written{Revision: seq, Replicas: 1, Members: 1}, nil
}

func (s *store) Get(*sunrpc.Request, []byte, kvrpc.Read) (kvrpc.Found, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return kvrpc.Found{Value: bytes.Clone(s.value), Revision: s.last}, nil
}

// The other procedures of kv.x are not served.

func (*store) Delete(*sunrpc.Request, kvrpc.WriteID, []byte) (kvrpc.Written, error) {
	return kvrpc.Written{}, sunrpc.ProcedureUnavailable
}

func (*store) CompareAndSwap(*sunrpc.Request, kvrpc.WriteID, []byte, kvrpc.Value, []byte) (kvrpc.Written, error) {
	return kvrpc.Written{}, sunrpc.ProcedureUnavailable
}

func (*store) List(*sunrpc.Request, []byte, []byte, kvrpc.Read) (kvrpc.Listed, error) {
	return kvrpc.Listed{}, sunrpc.ProcedureUnavailable
}

func (*store) Watch(*sunrpc.Request, []byte, uint64, time.Duration) (kvrpc.Watched, error) {
	return kvrpc.Watched{}, sunrpc.ProcedureUnavailable
}

func (*store) State(*sunrpc.Request) (kvrpc.State, error) {
	return kvrpc.State{}, sunrpc.ProcedureUnavailable
}

func (*store) SetMember(*sunrpc.Request, string, string, bool) error {
	return sunrpc.ProcedureUnavailable
}
