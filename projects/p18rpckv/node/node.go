// Package node is a server of the replicated store: github.com/hashicorp/raft over raft.x
// and a log on the disk, and kv.x for clients, at one port.
//
// # Who is who
//
// A server is known to the others by its address, host:port, which can neither be given
// twice nor misunderstood; --id is a name for people, which servers tell each other by
// KV_STATUS. The members of a new cluster are the server and its peers, in the order of
// their addresses, so that servers that are started alone begin with the same entry of the
// log. Later the log says who the members are, and the peers of the command line do not
// count.
//
// # Reads
//
// A leader answers a read when (1) an entry of its own term is committed, so that it knows
// all that was committed before, (2) a majority has answered a call that was made after the
// read began, so that there was no later leader, and (3) what was committed as the read
// began is applied. Nothing here trusts a clock.
//
// # Errors of writes
//
// NoQuorum means that the command was put into no log. Everything after that which is not an
// answer is Unknown: an entry that its leader could not commit may be committed by the next
// one.
package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"unpipc/gobind/kvrpc"
	"unpipc/gobind/sunrpc"
	"unpipc/projects/internal/raftnet"
	"unpipc/projects/p18rpckv/cache"
	"unpipc/projects/p18rpckv/machine"
	"unpipc/projects/p18rpckv/raftlog"
)

// Options of a server.
type Options struct {
	ID     string
	Addr   string   // where others reach it: host:port
	Listen string   // where it listens: host:port
	Peers  []string // the addresses of the other members, when the cluster begins
	Join   bool     // the cluster is there, and will take this server in
	Data   string   // a folder
	Port   int      // of Listen, for the name of the cache
	Cache  int      // bytes of shared memory for readers on this host; 0: none

	Election  time.Duration // without a sign of the leader until an election: 1 s, and up to twice that
	Wait      time.Duration // for a call to find a leader that has a majority: 4 s
	Laggards  time.Duration // for a write to reach those that are not needed for it: 1 s
	Snapshots uint64        // entries between two of them: 8192

	Tell func(format string, args ...any) // of changes; nil: nobody
	Log  hclog.Logger                     // of raft; nil: none
}

func (o *Options) setDefaults() {
	for _, d := range []struct {
		value    *time.Duration
		standard time.Duration
	}{{&o.Election, time.Second}, {&o.Wait, 4 * time.Second}, {&o.Laggards, time.Second}} {
		if *d.value <= 0 {
			*d.value = d.standard
		}
	}
	if o.Snapshots == 0 {
		o.Snapshots = 8192
	}
	if o.Tell == nil {
		o.Tell = func(string, ...any) {}
	}
	if o.Log == nil {
		o.Log = hclog.NewNullLogger()
	}
}

// ErrData says that the folder of a server is not what it should be.
var ErrData = errors.New("this folder cannot be used")

// Node is a server.
type Node struct {
	o       Options
	machine *machine.Machine
	cache   *cache.Writer // nil: none
	log     *raftlog.Store
	net     *raftnet.Transport
	raft    *raft.Raft
	server  *sunrpc.Server
	life    context.Context // until the server stops
	end     context.CancelFunc
	disk    context.Context // until it fails; the cause says how
	broken  context.CancelCauseFunc

	leading sync.Mutex // of ground
	ground  uint64     // a term of which an entry is committed; 0: none

	mu    sync.Mutex
	pools map[string]*sunrpc.Pool // to other servers
	names map[string]string       // ids by address
}

// Start opens the folder and the port; calls are answered by [Node.Serve]. Errors:
// *net.OpError of the port; [ErrData]; raftlog's.
func Start(o Options) (*Node, error) {
	o.setDefaults()
	n := &Node{
		o: o, pools: map[string]*sunrpc.Pool{}, names: map[string]string{o.Addr: o.ID},
	}
	n.life, n.end = context.WithCancel(context.Background())
	n.disk, n.broken = context.WithCancelCause(context.Background())
	n.server = sunrpc.NewServer(sunrpc.ServerOptions{MaxRecord: raftnet.MaxRecord, Grace: time.Second})
	if _, err := n.server.Listen("tcp", o.Listen); err != nil {
		return nil, err
	}
	err := n.start()
	if err != nil {
		n.end()
		if n.net != nil {
			_ = n.net.Close()
		}
		_ = n.cache.Close()
		if n.log != nil {
			err = errors.Join(err, n.log.Close())
		}
		for _, pool := range n.pools {
			_ = pool.Close()
		}
		return nil, errors.Join(err, n.server.Close())
	}
	return n, nil
}

func (n *Node) start() error {
	snapshots, err := n.openData()
	if err != nil {
		return err
	}
	if n.o.Cache > 0 {
		if n.cache, err = cache.Create(cache.Name(n.o.ID, n.o.Port), n.o.Cache); err != nil {
			n.o.Tell("There is no cache in shared memory: %v", err)
		}
	}
	n.machine = machine.New()
	if n.cache != nil {
		n.machine.SetMirror(n.cache)
	}
	n.net = raftnet.New(raft.ServerAddress(n.o.Addr), raftnet.Options{Timeout: max(3*time.Second, n.o.Election)})
	c := raft.DefaultConfig()
	c.LocalID, c.Logger = raft.ServerID(n.o.Addr), n.o.Log
	c.HeartbeatTimeout, c.ElectionTimeout, c.LeaderLeaseTimeout = n.o.Election, n.o.Election, n.o.Election
	c.SnapshotThreshold, c.TrailingLogs = n.o.Snapshots, n.o.Snapshots
	c.SnapshotInterval = 2 * time.Second // between looks whether there are so many
	c.ShutdownOnRemove = false
	store := &guarded{n.log, n}
	cache, err := raft.NewLogCache(512, store)
	if err != nil {
		return err
	}
	if err := n.found(c, snapshots); err != nil {
		return err
	}
	started := make(chan error, 1)
	go func() {
		var err error
		n.raft, err = raft.NewRaft(c, n.machine, cache, store, snapshots, n.net)
		started <- err
	}()
	select {
	case err = <-started:
	case <-n.disk.Done(): // raft waits
		err = context.Cause(n.disk)
	}
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrData, n.o.Data, err)
	}
	n.compareMembers()
	n.server.Handle(n.net.Service())
	n.server.Handle(kvrpc.Service(service{n}))
	return nil
}

// initial are the members of a new cluster.
func (n *Node) initial() []string {
	all := append([]string{n.o.Addr}, n.o.Peers...)
	slices.SortFunc(all, func(a, b string) int {
		hostA, portA, _ := net.SplitHostPort(a)
		hostB, portB, _ := net.SplitHostPort(b)
		x, _ := strconv.Atoi(portA)
		y, _ := strconv.Atoi(portB)
		return cmp.Or(strings.Compare(hostA, hostB), x-y)
	})
	return slices.Compact(all)
}

// members are those that the log speaks of.
func (n *Node) members() []raft.Server {
	future := n.raft.GetConfiguration()
	if future.Error() != nil {
		return nil
	}
	return future.Configuration().Servers
}

// compareMembers tells where the command line and the log do not agree.
func (n *Node) compareMembers() {
	var stored []string
	for _, m := range n.members() {
		stored = append(stored, string(m.Address))
	}
	slices.Sort(stored)
	given := n.initial()
	slices.Sort(given)
	if !n.o.Join && len(stored) > 0 && !slices.Equal(stored, given) {
		n.o.Tell("The members are %v, as the log in %s says; --peers, which says something else, begins new clusters only", stored, n.o.Data)
	}
}

// Serve answers calls until ctx ends or the disk fails, which it returns then. A leader hands
// over before it stops.
func (n *Node) Serve(ctx context.Context) error {
	serving, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- n.server.Serve(serving) }()
	var helpers sync.WaitGroup
	helpers.Go(n.learnNames)
	helpers.Go(n.tellLeaders)
	if n.cache != nil {
		helpers.Go(n.beat)
	}
	var err error
	select {
	case <-ctx.Done():
		if n.raft.State() == raft.Leader {
			_ = n.await(n.raft.LeadershipTransfer()) // there may be nobody
		}
	case <-n.disk.Done():
		_ = n.net.Close() // at once: what raft says is not true any more
	case err = <-served:
		served <- nil
	}
	n.end()
	stop()
	err = errors.Join(err, <-served)
	helpers.Wait()
	n.mu.Lock()
	for _, pool := range n.pools {
		_ = pool.Close()
	}
	n.pools = nil
	n.mu.Unlock()
	if closing := n.cache.Close(); closing != nil {
		n.o.Tell("The cache: %v", closing)
	}
	_ = n.net.Close()
	err = errors.Join(err, n.await(n.raft.Shutdown()))
	if failure := context.Cause(n.disk); failure != nil {
		return failure // and raft may never end
	}
	return errors.Join(err, n.log.Close())
}

// await waits for raft, but not when the disk has failed: then raft has stopped for ever.
func (n *Node) await(f raft.Future) error {
	done := make(chan error, 1)
	go func() { done <- f.Error() }()
	select {
	case err := <-done:
		return err
	case <-n.disk.Done():
		return raft.ErrRaftShutdown
	}
}

// tellLeaders tells who leads.
func (n *Node) tellLeaders() {
	seen := make(chan raft.Observation, 64)
	observer := raft.NewObserver(seen, false, func(o *raft.Observation) bool {
		_, ok := o.Data.(raft.LeaderObservation)
		return ok
	})
	n.raft.RegisterObserver(observer)
	defer n.raft.DeregisterObserver(observer)
	told := ""
	for {
		addr, _ := n.raft.LeaderWithID()
		if text := fmt.Sprintf("Term %d: %s leads", n.raft.CurrentTerm(), addr); addr != "" && text != told {
			n.o.Tell("%s", text)
			told = text
		}
		select {
		case <-seen:
		case <-n.life.Done():
			return
		}
	}
}
