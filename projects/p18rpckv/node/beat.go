package node

import (
	"context"
	"errors"
	"time"

	"github.com/hashicorp/raft"

	"unpipc/gobind/kvrpc"
)

// beating is what lies between two looks at how old the cache is.
const beating = 200 * time.Millisecond

// beat tells those who read the cache how old it may be: it asks for what is committed as a
// read does, and once that is applied the cache is as old as the question.
func (n *Node) beat() {
	for n.life.Err() == nil {
		began := time.Now()
		ctx, cancel := context.WithTimeout(n.life, n.o.Wait)
		index, err := n.committed(ctx)
		if err == nil && n.machine.Await(ctx, index) == nil {
			n.cache.Beat(index, time.Since(began))
		}
		cancel()
		select {
		case <-time.After(beating):
		case <-n.life.Done():
		}
	}
}

// committed is an index that is not below that of any write that had been answered at the
// call, and that the machine of this server will reach.
func (n *Node) committed(ctx context.Context) (uint64, error) {
	if n.raft.State() == raft.Leader {
		err := n.confirm(ctx)
		return n.machine.Applied(), err
	}
	term := n.raft.CurrentTerm()
	addr, _ := n.raft.LeaderWithID()
	if addr == "" || string(addr) == n.o.Addr {
		return 0, errNothing
	}
	client, err := n.peer(string(addr))
	if err != nil {
		return 0, err
	}
	// A read, of any key, proves that it leads.
	_, err = client.Get(ctx, []byte{0}, kvrpc.Read{Forwarded: true})
	if err != nil && !errors.Is(err, kvrpc.NotFound) {
		return 0, err
	}
	state, err := client.State(ctx)
	if err != nil {
		return 0, err
	}
	// It led this term during the read, too: a server that has heard of a term without
	// leading it never leads it.
	if state.Role != "leader" || state.Term != term {
		return 0, errNothing
	}
	return state.AppliedIndex, nil
}
