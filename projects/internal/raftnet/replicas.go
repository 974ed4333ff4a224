package raftnet

import (
	"context"
	"sync"

	"github.com/hashicorp/raft"
)

// replicas is what a leader has heard of its peers.
type replicas struct {
	mu      sync.Mutex
	term    uint64 // what was heard in another one does not count
	peers   map[raft.ServerID]replica
	changed chan struct{} // closed at each change
}

type replica struct {
	match  uint64 // it has the leader's entries up to this one
	failed bool   // the last call
}

func (r *replicas) init() {
	r.peers, r.changed = map[raft.ServerID]replica{}, make(chan struct{})
}

// note takes down how a call ended: has says that the peer has entries up to last.
func (r *replicas) note(id raft.ServerID, term, last uint64, has bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if term < r.term {
		return
	}
	if term > r.term {
		r.term = term
		clear(r.peers)
	}
	p := r.peers[id]
	was := p
	p.failed = err != nil
	if has {
		p.match = max(p.match, last)
	}
	if r.peers[id] = p; p != was {
		close(r.changed)
		r.changed = make(chan struct{})
	}
}

// Match is the last entry that a peer is known to have, as far as this server has heard as
// the leader of a term; 0: none.
func (t *Transport) Match(id raft.ServerID, term uint64) uint64 {
	r := &t.replicas
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.term != term {
		return 0
	}
	return r.peers[id].match
}

// Replicas counts the peers that are known to have an entry of the term in which this server
// leads. It waits for those that have not got it yet until ctx ends, but for none whose last
// call has failed.
func (t *Transport) Replicas(ctx context.Context, term, index uint64, peers []raft.ServerID) int {
	r := &t.replicas
	for {
		r.mu.Lock()
		n, open := 0, 0
		if r.term <= term {
			for _, id := range peers {
				switch p := r.peers[id]; {
				case r.term == term && p.match >= index:
					n++
				case r.term < term || !p.failed:
					open++
				}
			}
		}
		changed := r.changed
		r.mu.Unlock()
		if open == 0 || ctx.Err() != nil {
			return n
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}
