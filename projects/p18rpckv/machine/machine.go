// Package machine is the state machine of the replicated store: what the log does to the
// keys. The same log makes the same state at every server, so nothing here may depend on
// the time, on chance, or on the order of a map.
//
// A write that is in the log twice, because a client has sent it again, is done once: the
// state keeps the last sequence of each client and how that write ended, and a snapshot
// holds them too. Of more than [MaxClients] the one that has written longest ago is
// forgotten.
package machine

import (
	"context"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/raft"

	"unpipc/gobind/kvrpc"
)

// MaxClients is how many clients are remembered.
const MaxClients = 10_000

// How many changes are kept for those who watch.
const maxChanges = 4096

type found struct {
	value    []byte // never changed
	revision uint64
}

type session struct {
	sequence uint64
	outcome  Outcome
}

// Outcome is how a write ended.
type Outcome struct {
	Status   kvrpc.Status // 0: done
	Revision uint64       // the index of its entry
}

// Mirror is told of each change of the keys, one at a time.
type Mirror interface {
	Put(key, value []byte, revision uint64)
	Delete(key []byte)
	Reset() // there are no keys any more
}

// Machine is a raft.FSM.
type Machine struct {
	mirror   Mirror
	mu       sync.Mutex
	keys     map[string]found
	sessions map[[16]byte]session
	changes  []kvrpc.Change // the last ones, in their order
	dropped  uint64         // revision of the last change that is not kept
	applied  uint64         // index of the last entry
	moved    chan struct{}  // closed as applied rises
}

var (
	_ raft.FSM                = (*Machine)(nil)
	_ raft.ConfigurationStore = (*Machine)(nil)
)

// New makes an empty one.
func New() *Machine {
	return &Machine{keys: map[string]found{}, sessions: map[[16]byte]session{}, moved: make(chan struct{})}
}

// SetMirror has a mirror told of what is done from now on. To be called before the machine is
// used.
func (m *Machine) SetMirror(mirror Mirror) { m.mirror = mirror }

// Apply does what an entry says, and returns an [Outcome]. An empty one does nothing.
func (m *Machine) Apply(l *raft.Log) any {
	m.mu.Lock()
	defer m.mu.Unlock()
	defer m.move(l.Index)
	if len(l.Data) == 0 {
		return Outcome{Revision: l.Index}
	}
	c, err := Decode(l.Data)
	if err != nil {
		return Outcome{Status: kvrpc.BadRequest, Revision: l.Index}
	}
	last, known := m.sessions[c.Client]
	switch {
	case known && c.Sequence == last.sequence:
		return last.outcome
	case known && c.Sequence < last.sequence:
		return Outcome{Status: kvrpc.Stale, Revision: l.Index}
	}
	outcome := Outcome{Status: m.do(c, l.Index), Revision: l.Index}
	if !known && len(m.sessions) == MaxClients {
		m.forget()
	}
	m.sessions[c.Client] = session{c.Sequence, outcome}
	return outcome
}

func (m *Machine) do(c Command, revision uint64) kvrpc.Status {
	key := string(c.Key)
	old, there := m.keys[key]
	switch c.Kind {
	case Put:
	case Delete:
		if !there {
			return kvrpc.NotFound
		}
		delete(m.keys, key)
		if m.mirror != nil {
			m.mirror.Delete(c.Key)
		}
		m.change(kvrpc.Change{Key: c.Key, Revision: revision})
		return 0
	case CompareAndSwap:
		if there != c.Expected.Present || there && string(old.value) != string(c.Expected.Bytes) {
			return kvrpc.Mismatch
		}
	default:
		return kvrpc.BadRequest
	}
	m.keys[key] = found{c.Value, revision}
	if m.mirror != nil {
		m.mirror.Put(c.Key, c.Value, revision)
	}
	m.change(kvrpc.Change{Key: c.Key, Value: kvrpc.Value{Bytes: c.Value, Present: true}, Revision: revision})
	return 0
}

func (m *Machine) change(c kvrpc.Change) {
	if len(m.changes) == 2*maxChanges {
		m.dropped = m.changes[maxChanges-1].Revision
		m.changes = slices.Clone(m.changes[maxChanges:])
	}
	m.changes = append(m.changes, c)
}

// forget forgets the client whose last write is the oldest. Revisions differ.
func (m *Machine) forget() {
	var oldest [16]byte
	revision := ^uint64(0)
	for client, s := range m.sessions {
		if s.outcome.Revision < revision {
			oldest, revision = client, s.outcome.Revision
		}
	}
	delete(m.sessions, oldest)
}

func (m *Machine) move(index uint64) {
	m.applied = index
	close(m.moved)
	m.moved = make(chan struct{})
}

// Applied is the index of the last entry that this machine has applied, or that the
// snapshot it was restored from had: what raft's AppliedIndex says is not that.
func (m *Machine) Applied() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.applied
}

// StoreConfiguration notes that an entry has passed that is about members.
func (m *Machine) StoreConfiguration(index uint64, _ raft.Configuration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.move(index)
}

// Await waits until the entry of an index is applied, and returns ctx's error if that ends
// first.
func (m *Machine) Await(ctx context.Context, index uint64) error {
	for {
		m.mu.Lock()
		moved, applied := m.moved, m.applied
		m.mu.Unlock()
		if applied >= index {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Get reads a key.
func (m *Machine) Get(key []byte) (kvrpc.Found, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f, ok := m.keys[string(key)]
	return kvrpc.Found{Value: f.value, Revision: f.revision}, ok
}

// Keys is how many keys there are.
func (m *Machine) Keys() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.keys)
}

// List is a page of the keys that begin with prefix and come after another.
func (m *Machine) List(prefix, after []byte) kvrpc.Listed {
	m.mu.Lock()
	keys := slices.Collect(maps.Keys(m.keys))
	m.mu.Unlock()
	keys = slices.DeleteFunc(keys, func(key string) bool {
		return !strings.HasPrefix(key, string(prefix)) || len(after) > 0 && key <= string(after)
	})
	slices.Sort(keys)
	page := kvrpc.Listed{More: len(keys) > kvrpc.MaxKeys}
	for _, key := range keys[:min(len(keys), kvrpc.MaxKeys)] {
		page.Keys = append(page.Keys, []byte(key))
	}
	return page
}

// Bytes of values in an answer of Watch; one change is given even if it is longer.
const maxWatched = 512 << 10

// Watch waits until ctx ends for changes after a revision; then there are none. Error:
// kvrpc.Compacted.
func (m *Machine) Watch(ctx context.Context, prefix []byte, after uint64) (kvrpc.Watched, error) {
	w := kvrpc.Watched{Revision: after}
	for {
		m.mu.Lock()
		changes, dropped, moved, applied := m.changes, m.dropped, m.moved, m.applied
		m.mu.Unlock()
		if after < dropped {
			return w, kvrpc.Compacted
		}
		from, _ := slices.BinarySearchFunc(changes, w.Revision+1, func(c kvrpc.Change, r uint64) int {
			if c.Revision < r {
				return -1
			}
			return 1
		})
		bytes := 0
		for _, c := range changes[from:] {
			if strings.HasPrefix(string(c.Key), string(prefix)) {
				bytes += len(c.Key) + len(c.Value.Bytes)
				if len(w.Changes) == kvrpc.MaxChanges || len(w.Changes) > 0 && bytes > maxWatched {
					return w, nil
				}
				w.Changes = append(w.Changes, c)
			}
			w.Revision = c.Revision
		}
		w.Revision = max(w.Revision, applied)
		if len(w.Changes) > 0 || ctx.Err() != nil {
			return w, nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
		}
	}
}

// Snapshot is the state of now.
func (m *Machine) Snapshot() (raft.FSMSnapshot, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &snapshot{keys: maps.Clone(m.keys), sessions: maps.Clone(m.sessions), applied: m.applied}, nil
}

// Restore takes the state of a snapshot, or leaves the machine as it is.
func (m *Machine) Restore(from io.ReadCloser) error {
	s, err := read(from)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keys, m.sessions, m.changes, m.dropped = s.keys, s.sessions, nil, s.applied
	if m.mirror != nil {
		m.mirror.Reset()
		for key, f := range m.keys {
			m.mirror.Put([]byte(key), f.value, f.revision)
		}
	}
	m.move(s.applied)
	return nil
}
