package raftnet_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"unpipc/projects/internal/raftnet"
)

// list is a state machine: what was applied, in its order.
type list struct {
	mu       sync.Mutex
	applied  []string
	restored int // from snapshots
}

func (l *list) Apply(entry *raft.Log) any {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.applied = append(l.applied, string(entry.Data))
	return nil
}

func (l *list) Snapshot() (raft.FSMSnapshot, error) {
	text, err := json.Marshal(l.get())
	return frozen(text), err
}

func (l *list) Restore(from io.ReadCloser) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.applied, l.restored = nil, l.restored+1
	return json.NewDecoder(from).Decode(&l.applied)
}

func (l *list) get() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.applied)
}

func (l *list) restores() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.restored
}

type frozen []byte

func (f frozen) Persist(sink raft.SnapshotSink) error {
	if _, err := io.Copy(sink, bytes.NewReader(f)); err != nil {
		return err
	}
	return sink.Close()
}

func (frozen) Release() {}

// node is a server of a cluster in this process.
type node struct {
	fsm list
	*raft.Raft
	transport *raftnet.Transport
	id        raft.ServerID
	addr      string
	stop      func() // listening, and all connections to it
}

func startCluster(t *testing.T) []*node {
	t.Helper()
	nodes := make([]*node, 3)
	var configuration raft.Configuration
	for i := range nodes {
		n := &node{id: raft.ServerID(fmt.Sprint(i + 1)), addr: vacant(t)}
		n.transport = raftnet.New(raft.ServerAddress(n.addr), raftnet.Options{Timeout: time.Second, Install: patience})
		n.stop = serve(t, n.transport, n.addr)
		configuration.Servers = append(configuration.Servers, raft.Server{ID: n.id, Address: raft.ServerAddress(n.addr)})
		nodes[i] = n
	}
	for _, n := range nodes {
		c := raft.DefaultConfig()
		c.LocalID = n.id
		c.HeartbeatTimeout, c.ElectionTimeout, c.LeaderLeaseTimeout = time.Second, time.Second, time.Second
		c.TrailingLogs, c.SnapshotInterval = 1, time.Hour
		c.Logger = hclog.NewNullLogger()
		logs, snapshots := raft.NewInmemStore(), raft.NewInmemSnapshotStore()
		require.NoError(t, raft.BootstrapCluster(c, logs, logs, snapshots, n.transport, configuration))
		var err error
		n.Raft, err = raft.NewRaft(c, &n.fsm, logs, logs, snapshots, n.transport)
		require.NoError(t, err)
		t.Cleanup(func() {
			assert.NoError(t, n.Shutdown().Error())
			n.stop()
		})
	}
	return nodes
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(10 * time.Millisecond) {
		require.True(t, time.Now().Before(deadline), what)
	}
}

// leader waits for one of the nodes to lead.
func leader(t *testing.T, nodes ...*node) (l *node) {
	t.Helper()
	eventually(t, "a leader", func() bool {
		for _, n := range nodes {
			if n.State() == raft.Leader {
				l = n
				return true
			}
		}
		return false
	})
	return l
}

// put applies an entry with whoever leads the nodes, again and again until it is committed:
// a loaded machine may change its leader. Twice applied is as good as once here.
func put(t *testing.T, text string, nodes ...*node) {
	t.Helper()
	eventually(t, "commit "+text[:1], func() bool {
		for _, n := range nodes {
			if n.State() == raft.Leader && n.Apply([]byte(text), patience).Error() == nil {
				return true
			}
		}
		return false
	})
}

// have waits until all nodes have applied the texts, in this order.
func have(t *testing.T, nodes []*node, texts ...string) {
	t.Helper()
	for _, n := range nodes {
		eventually(t, fmt.Sprintf("node %s has all", n.id), func() bool {
			return slices.Equal(slices.Compact(n.fsm.get()), texts)
		})
	}
}

func without(nodes []*node, one *node) []*node {
	return slices.DeleteFunc(slices.Clone(nodes), func(n *node) bool { return n == one })
}

func TestThreeServersElectReplicateAndGoOnWithoutTheLeader(t *testing.T) {
	nodes := startCluster(t)
	leader(t, nodes...)
	put(t, "a", nodes...)
	put(t, "b", nodes...)
	have(t, nodes, "a", "b")

	dead := leader(t, nodes...)
	require.NoError(t, dead.Shutdown().Error())
	dead.stop()
	others := without(nodes, dead)
	put(t, "c", others...)
	have(t, others, "a", "b", "c")
	assert.Equal(t, []string{"a", "b"}, slices.Compact(dead.fsm.get()))
}

func TestALeaderWithoutAMajorityLeadsNoMoreAndALaterOneBringsAllTogether(t *testing.T) {
	nodes := startCluster(t)
	put(t, "a", nodes...)
	have(t, nodes, "a")
	alone := leader(t, nodes...)
	for _, n := range without(nodes, alone) {
		n.stop() // nor can the others reach each other
	}
	eventually(t, "the leader steps down", func() bool { return alone.State() != raft.Leader })
	assert.Error(t, alone.Apply([]byte("lost"), time.Second).Error())
	for _, n := range without(nodes, alone) {
		n.stop = serve(t, n.transport, n.addr)
	}
	put(t, "b", nodes...)
	have(t, nodes, "a", "b")
}

func TestAServerThatIsFarBehindGetsASnapshot(t *testing.T) {
	nodes := startCluster(t)
	put(t, "a", nodes...)
	have(t, nodes, "a")
	behind := without(nodes, leader(t, nodes...))[0]
	behind.stop()
	want := []string{"a"}
	for i := range 8 { // more than one part of a snapshot holds
		want = append(want, string(bytes.Repeat([]byte{byte('b' + i)}, 100_000)))
		put(t, want[len(want)-1], without(nodes, behind)...)
	}
	have(t, without(nodes, behind), want...)
	for _, n := range without(nodes, behind) {
		require.NoError(t, n.Raft.Snapshot().Error())
	}
	behind.stop = serve(t, behind.transport, behind.addr)
	put(t, "z", nodes...)
	have(t, nodes, append(want, "z")...)
	assert.Positive(t, behind.fsm.restores())
}

func TestALeaderHandsOver(t *testing.T) {
	nodes := startCluster(t)
	put(t, "a", nodes...)
	have(t, nodes, "a")
	// A machine under load may change its leader in between, and then there is nothing to
	// hand over.
	eventually(t, "handed over", func() bool {
		old := leader(t, nodes...)
		to := without(nodes, old)[0]
		return old.LeadershipTransferToServer(to.id, raft.ServerAddress(to.addr)).Error() == nil
	})
	put(t, "b", nodes...)
	have(t, nodes, "a", "b")
}
