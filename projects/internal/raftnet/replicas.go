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
	clock   uint64 // counts marks
	peers   map[raft.ServerID]replica
	changed chan struct{} // closed at each change
}

type replica struct {
	match  uint64 // it has the leader's entries up to this one
	late   uint64 // an entry that was waited for in vain
	heard  uint64 // the clock as a call began that it has answered as a follower
	failed bool   // the last call
}

func (r *replicas) init() {
	r.peers, r.changed = map[raft.ServerID]replica{}, make(chan struct{})
}

// now is the clock, to be read before a call is made.
func (r *replicas) now() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.clock
}

// note takes down how a call ended that began at a time: has says that the peer has entries
// up to last, follows that it knows of no newer term.
func (r *replicas) note(id raft.ServerID, term, last, began uint64, has, follows bool, err error) {
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
	if follows {
		p.heard = max(p.heard, began)
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
// leads. It waits for those that have not got it yet until ctx ends; but for none whose last
// call has failed, nor for one that was waited for in vain and has not caught up since.
func (t *Transport) Replicas(ctx context.Context, term, index uint64, peers []raft.ServerID) int {
	r := &t.replicas
	for {
		r.mu.Lock()
		n := 0
		var open []raft.ServerID
		if r.term <= term {
			for _, id := range peers {
				switch p := r.peers[id]; {
				case r.term == term && p.match >= index:
					n++
				case r.term < term || !p.failed && p.match >= p.late:
					open = append(open, id)
				}
			}
		}
		if ctx.Err() != nil && r.term == term {
			for _, id := range open {
				p := r.peers[id]
				p.late = index
				r.peers[id] = p
			}
		}
		changed := r.changed
		r.mu.Unlock()
		if len(open) == 0 || ctx.Err() != nil {
			return n
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

// Mark is a moment, for [Transport.Heard].
func (t *Transport) Mark() uint64 {
	r := &t.replicas
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clock++
	return r.clock
}

// Heard waits until so many of the peers have answered calls that were made after a moment,
// as followers of the term in which this server leads: nobody led a later term at that
// moment. raft.VerifyLeader has calls made, but is content with an answer to an earlier one,
// which a server that was stopped for a while may find in its sockets. It returns false when
// ctx ends first.
func (t *Transport) Heard(ctx context.Context, mark, term uint64, peers []raft.ServerID, need int) bool {
	r := &t.replicas
	for {
		r.mu.Lock()
		n := 0
		if r.term == term {
			for _, id := range peers {
				if r.peers[id].heard >= mark {
					n++
				}
			}
		}
		changed := r.changed
		r.mu.Unlock()
		if n >= need {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}
