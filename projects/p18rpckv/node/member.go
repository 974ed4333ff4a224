package node

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/raft"

	"unpipc/gobind/kvrpc"
	"unpipc/gobind/sunrpc"
)

// learning is what lies between two rounds of questions for names.
const learning = time.Second

// State is what this server thinks.
func (s service) State(*sunrpc.Request) (kvrpc.State, error) {
	n := s.n
	leader, _ := n.raft.LeaderWithID()
	term, last := n.raft.CurrentTerm(), n.raft.LastIndex()
	state := kvrpc.State{
		ID: n.o.ID, Role: strings.ToLower(n.raft.State().String()), Leader: n.nameOf(string(leader)),
		Term: term, LastIndex: last, CommitIndex: n.raft.CommitIndex(),
		AppliedIndex: n.machine.Applied(), Keys: uint64(n.machine.Keys()),
	}
	state.SnapIndex, _ = strconv.ParseUint(n.raft.Stats()["last_snapshot_index"], 10, 64)
	leads := n.raft.State() == raft.Leader
	for _, m := range n.members() {
		member := kvrpc.Member{ID: n.nameOf(string(m.Address)), Addr: string(m.Address), Voter: m.Suffrage == raft.Voter}
		switch {
		case leads && member.Addr == n.o.Addr:
			member.Match = last
		case leads:
			member.Match = n.net.Match(m.ID, term)
		}
		state.Members = append(state.Members, member)
		if len(state.Members) == kvrpc.MaxMembers {
			break
		}
	}
	return state, nil
}

// nameOf is the id of the server at an address; the address, if it has not told its id yet.
func (n *Node) nameOf(addr string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if name := n.names[addr]; name != "" {
		return name
	}
	return addr
}

// learnNames asks the other members for their ids.
func (n *Node) learnNames() {
	for n.life.Err() == nil {
		for _, m := range n.members() {
			if addr := string(m.Address); n.nameOf(addr) == addr {
				if state, err := n.ask(n.life, addr); err == nil {
					n.mu.Lock()
					n.names[addr] = state.ID
					n.mu.Unlock()
				}
			}
		}
		select {
		case <-time.After(learning):
		case <-n.life.Done():
		}
	}
}

// ask asks another server for its state.
func (n *Node) ask(ctx context.Context, addr string) (kvrpc.State, error) {
	client, err := n.peer(addr)
	if err != nil {
		return kvrpc.State{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, n.o.Election)
	defer cancel()
	return client.State(ctx)
}

// SetMember adds a server, or takes one out where addr is "".
func (s service) SetMember(r *sunrpc.Request, id, addr string, forwarded bool) error {
	if id == "" {
		return kvrpc.BadRequest
	}
	_, err := lead(s.n, r, forwarded, false,
		func(ctx context.Context) (struct{}, error) {
			// Or else a change of an earlier leader may be under way.
			if err := s.n.confirm(ctx); err != nil {
				return struct{}{}, err
			}
			if addr == "" {
				return struct{}{}, s.n.remove(id)
			}
			return struct{}{}, s.n.add(ctx, id, addr)
		},
		func(ctx context.Context, to *kvrpc.Client) (struct{}, error) {
			return struct{}{}, to.SetMember(ctx, id, addr, true)
		})
	return err
}

// add lets a server in that was started to join. It learns first, and votes when it has what
// the others have; else a majority would have to wait for it.
func (n *Node) add(ctx context.Context, id, addr string) error {
	member := false
	for _, m := range n.members() {
		switch {
		case string(m.Address) == addr && m.Suffrage != raft.Voter:
			member = true
		case string(m.Address) == addr || n.nameOf(string(m.Address)) == id:
			return kvrpc.Conflict
		}
	}
	state, err := n.ask(ctx, addr)
	if err != nil || state.ID != id || !member && state.LastIndex > 0 {
		return kvrpc.Conflict // nobody is there, or another one, or one with a log of its own
	}
	server, at := raft.ServerID(addr), raft.ServerAddress(addr)
	if !member {
		if err := n.changed(n.raft.AddNonvoter(server, at, 0, n.o.Wait)); err != nil {
			return err
		}
	}
	n.mu.Lock()
	n.names[addr] = id
	n.mu.Unlock()
	term, last := n.raft.CurrentTerm(), n.raft.LastIndex()
	for n.net.Match(server, term) < last {
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return kvrpc.Unknown // it goes on; who asks again finds it farther
		}
	}
	return n.changed(n.raft.AddVoter(server, at, 0, n.o.Wait))
}

// remove takes a server out, by its id or its address.
func (n *Node) remove(id string) error {
	for _, m := range n.members() {
		if addr := string(m.Address); n.nameOf(addr) == id || addr == id {
			if len(n.members()) == 1 {
				return kvrpc.Conflict
			}
			return n.changed(n.raft.RemoveServer(m.ID, 0, n.o.Wait))
		}
	}
	return kvrpc.Conflict
}

// changed judges a change of the members.
func (n *Node) changed(f raft.IndexFuture) error {
	switch err := n.await(f); {
	case err == nil:
		return nil
	case errors.Is(err, raft.ErrNotLeader), errors.Is(err, raft.ErrLeadershipTransferInProgress), errors.Is(err, raft.ErrEnqueueTimeout):
		return errNothing
	}
	return kvrpc.Unknown
}
