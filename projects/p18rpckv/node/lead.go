package node

import (
	"context"
	"errors"
	"time"

	"github.com/hashicorp/raft"

	"unpipc/gobind/kvrpc"
	"unpipc/gobind/sunrpc"
)

// errNothing says that nothing was done, and that another try may succeed.
var errNothing = errors.New("nothing was done")

// Connections to a server that calls are forwarded to.
const forwards = 16

// pause is what lies between two looks for a leader.
const pause = 20 * time.Millisecond

// lead has the leader do something: self here, or other there. It tries until there is a
// leader that does it, within the time for that; a call that was forwarded is not forwarded
// again. A call that cannot be repeated and gets no answer has an outcome that is unknown.
func lead[T any](n *Node, r *sunrpc.Request, forwarded, repeatable bool,
	self func(context.Context) (T, error), other func(context.Context, *kvrpc.Client) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(r.Context(), n.o.Wait)
	defer cancel()
	var none T
	for {
		addr, _ := n.raft.LeaderWithID()
		var got T
		err := errNothing
		switch {
		case n.raft.State() == raft.Leader:
			got, err = self(ctx)
		case forwarded:
			return none, kvrpc.NoQuorum // the one that forwards looks again
		case addr != "" && string(addr) != n.o.Addr:
			got, err = forward(n, ctx, string(addr), other)
			var status kvrpc.Status
			switch {
			case err == nil, errors.Is(err, errNothing):
			case !errors.As(err, &status) && !repeatable:
				err = kvrpc.Unknown
			case status == 0, status == kvrpc.NoQuorum:
				err = errNothing
			}
		}
		if !errors.Is(err, errNothing) {
			return got, err
		}
		if forwarded {
			return none, kvrpc.NoQuorum
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return none, kvrpc.NoQuorum
		case <-n.life.Done():
			return none, kvrpc.NoQuorum
		}
	}
}

// forward makes a call to another server. errNothing: there is no connection.
func forward[T any](n *Node, ctx context.Context, addr string, do func(context.Context, *kvrpc.Client) (T, error)) (T, error) {
	// The other one takes its time to find a majority, too.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), n.o.Wait+n.o.Laggards)
	defer cancel()
	stop := context.AfterFunc(n.life, cancel)
	defer stop()
	client, err := n.peer(addr)
	if err != nil {
		var none T
		return none, err
	}
	return do(ctx, client)
}

// peer is the other server at an address.
func (n *Node) peer(addr string) (*kvrpc.Client, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.pools == nil {
		return nil, errNothing
	}
	pool := n.pools[addr]
	if pool == nil {
		pool = sunrpc.NewPool(forwards, func(ctx context.Context) (*sunrpc.Client, error) {
			ctx, cancel := context.WithTimeout(ctx, n.o.Election)
			defer cancel()
			c, err := sunrpc.Dial(ctx, "tcp", addr, kvrpc.Program, sunrpc.Options{Timeout: time.Hour})
			if err != nil {
				return nil, errNothing
			}
			return c, nil
		})
		n.pools[addr] = pool
	}
	return kvrpc.NewClient(pool), nil
}

// peers are the voters but this server.
func (n *Node) peers() (peers []raft.ServerID, voters, members int) {
	for _, m := range n.members() {
		members++
		if m.Suffrage != raft.Voter {
			continue
		}
		voters++
		if string(m.Address) != n.o.Addr {
			peers = append(peers, m.ID)
		}
	}
	return peers, voters, members
}

// ensure has a leader know all that is committed, by an entry of its own term that does
// nothing. Behind it there is nothing in the log that the machine does not see.
func (n *Node) ensure(ctx context.Context, term uint64) error {
	n.leading.Lock()
	defer n.leading.Unlock()
	if n.ground == term {
		return nil
	}
	if ctx.Err() != nil {
		return errNothing
	}
	if err := n.await(n.raft.Apply(nil, n.o.Wait)); err != nil || n.raft.CurrentTerm() != term {
		return errNothing
	}
	n.ground = term
	return nil
}

// confirm returns when the machine has all that was committed at the call, and this server
// was the leader then: see the package's documentation.
func (n *Node) confirm(ctx context.Context) error {
	term := n.raft.CurrentTerm()
	if err := n.ensure(ctx, term); err != nil {
		return err
	}
	committed := n.raft.CommitIndex()
	mark := n.net.Mark()
	for heard := false; !heard; {
		if n.await(n.raft.VerifyLeader()) != nil || ctx.Err() != nil {
			return errNothing
		}
		peers, voters, _ := n.peers()
		soon, cancel := context.WithTimeout(ctx, n.o.Election/10)
		heard = n.net.Heard(soon, mark, term, peers, voters/2)
		cancel()
	}
	if n.raft.CurrentTerm() != term {
		return errNothing
	}
	if n.machine.Await(ctx, committed) != nil {
		return errNothing
	}
	return nil
}
