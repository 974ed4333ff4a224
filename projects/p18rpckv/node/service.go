package node

import (
	"context"
	"errors"
	"time"

	"github.com/hashicorp/raft"

	"unpipc/gobind/kvrpc"
	"unpipc/gobind/sunrpc"
	"unpipc/projects/p18rpckv/machine"
)

// maxWatch bounds how long a call waits for a change.
const maxWatch = time.Minute

// service is what clients call, and other servers.
type service struct{ n *Node }

var _ kvrpc.Server = service{}

func (s service) Put(r *sunrpc.Request, id kvrpc.WriteID, key, value []byte) (kvrpc.Written, error) {
	return s.write(r, id, machine.Command{Kind: machine.Put, Key: key, Value: value},
		func(ctx context.Context, c *kvrpc.Client, id kvrpc.WriteID) (kvrpc.Written, error) {
			return c.Put(ctx, id, key, value)
		})
}

func (s service) Delete(r *sunrpc.Request, id kvrpc.WriteID, key []byte) (kvrpc.Written, error) {
	return s.write(r, id, machine.Command{Kind: machine.Delete, Key: key},
		func(ctx context.Context, c *kvrpc.Client, id kvrpc.WriteID) (kvrpc.Written, error) {
			return c.Delete(ctx, id, key)
		})
}

func (s service) CompareAndSwap(r *sunrpc.Request, id kvrpc.WriteID, key []byte, expected kvrpc.Value, value []byte) (kvrpc.Written, error) {
	return s.write(r, id, machine.Command{Kind: machine.CompareAndSwap, Key: key, Expected: expected, Value: value},
		func(ctx context.Context, c *kvrpc.Client, id kvrpc.WriteID) (kvrpc.Written, error) {
			return c.CompareAndSwap(ctx, id, key, expected, value)
		})
}

func (s service) write(r *sunrpc.Request, id kvrpc.WriteID, c machine.Command,
	other func(context.Context, *kvrpc.Client, kvrpc.WriteID) (kvrpc.Written, error)) (kvrpc.Written, error) {
	if len(c.Key) == 0 {
		return kvrpc.Written{}, kvrpc.BadRequest
	}
	c.Client, c.Sequence = id.Client, id.Sequence
	forwarded := id
	forwarded.Forwarded = true
	return lead(s.n, r, id.Forwarded, false,
		func(ctx context.Context) (kvrpc.Written, error) { return s.n.apply(ctx, &c) },
		func(ctx context.Context, to *kvrpc.Client) (kvrpc.Written, error) { return other(ctx, to, forwarded) })
}

// apply puts a command into the log.
func (n *Node) apply(ctx context.Context, c *machine.Command) (kvrpc.Written, error) {
	if ctx.Err() != nil {
		return kvrpc.Written{}, errNothing
	}
	term := n.raft.CurrentTerm()
	future := n.raft.Apply(c.Encode(), n.o.Wait)
	switch err := n.await(future); {
	case err == nil:
	case errors.Is(err, raft.ErrNotLeader), errors.Is(err, raft.ErrLeadershipTransferInProgress), errors.Is(err, raft.ErrEnqueueTimeout):
		return kvrpc.Written{}, errNothing
	default:
		return kvrpc.Written{}, kvrpc.Unknown
	}
	outcome := future.Response().(machine.Outcome)
	if outcome.Status != 0 {
		return kvrpc.Written{}, outcome.Status
	}
	wait, cancel := context.WithTimeout(n.life, n.o.Laggards)
	defer cancel()
	peers, voters, members := n.peers()
	have := 1 + n.net.Replicas(wait, term, outcome.Revision, peers)
	// A majority has it, also where another term has begun since.
	return kvrpc.Written{Revision: outcome.Revision, Replicas: uint32(max(have, voters/2+1)), Members: uint32(members)}, nil
}

func (s service) Get(r *sunrpc.Request, key []byte, how kvrpc.Read) (kvrpc.Found, error) {
	get := func() (kvrpc.Found, error) {
		f, ok := s.n.machine.Get(key)
		if !ok {
			return f, kvrpc.NotFound
		}
		return f, nil
	}
	return read(s.n, r, how, get, func(ctx context.Context, c *kvrpc.Client, how kvrpc.Read) (kvrpc.Found, error) {
		return c.Get(ctx, key, how)
	})
}

func (s service) List(r *sunrpc.Request, prefix, after []byte, how kvrpc.Read) (kvrpc.Listed, error) {
	list := func() (kvrpc.Listed, error) { return s.n.machine.List(prefix, after), nil }
	return read(s.n, r, how, list, func(ctx context.Context, c *kvrpc.Client, how kvrpc.Read) (kvrpc.Listed, error) {
		return c.List(ctx, prefix, after, how)
	})
}

func read[T any](n *Node, r *sunrpc.Request, how kvrpc.Read, get func() (T, error),
	other func(context.Context, *kvrpc.Client, kvrpc.Read) (T, error)) (T, error) {
	if how.Local {
		return get()
	}
	return lead(n, r, how.Forwarded, true,
		func(ctx context.Context) (T, error) {
			if err := n.confirm(ctx); err != nil {
				var none T
				return none, err
			}
			return get()
		},
		func(ctx context.Context, to *kvrpc.Client) (T, error) {
			return other(ctx, to, kvrpc.Read{Forwarded: true})
		})
}

// Watch is answered by the server that is asked: changes come in their order everywhere.
func (s service) Watch(r *sunrpc.Request, prefix []byte, after uint64, wait time.Duration) (kvrpc.Watched, error) {
	ctx, cancel := context.WithTimeout(r.Context(), min(wait, maxWatch))
	defer cancel()
	stop := context.AfterFunc(s.n.life, cancel)
	defer stop()
	return s.n.machine.Watch(ctx, prefix, after)
}
