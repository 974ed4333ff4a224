package node

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/hashicorp/raft"
	bolterrors "go.etcd.io/bbolt/errors"

	"unpipc/gobind/kvrpc"
	"unpipc/projects/p18rpckv/raftlog"
)

// In the folder of a server: the log, snapshots/, and a file that says whose they are, which
// is the last one to be made.
const (
	logFile   = "log"
	ownerFile = "server"
)

var ownerKey = []byte("server")

// openData opens the folder, and makes it if it is not there.
func (n *Node) openData() (raft.SnapshotStore, error) {
	if err := os.MkdirAll(n.o.Data, 0o700); err != nil {
		return nil, err
	}
	path := filepath.Join(n.o.Data, logFile)
	owner, ownerErr := os.ReadFile(filepath.Join(n.o.Data, ownerFile))
	if ownerErr == nil {
		if _, err := os.Stat(path); err != nil {
			return nil, fmt.Errorf("%w: %w, and without what it has acknowledged the server must not vote", ErrData, err)
		}
	}
	var err error
	n.log, err = raftlog.Open(path, time.Second)
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("%w: another server uses %s", ErrData, n.o.Data)
	}
	if err != nil {
		return nil, err
	}
	stored, err := n.log.Get(ownerKey)
	switch {
	case ownerErr == nil && (err != nil || !bytes.Equal(stored, bytes.TrimSpace(owner))):
		return nil, fmt.Errorf("%w: %s is not the log of server %s", ErrData, path, bytes.TrimSpace(owner))
	case err == nil && string(stored) != n.o.Addr:
		return nil, fmt.Errorf("%w: %s has the data of the server at %s, not at %s", ErrData, n.o.Data, stored, n.o.Addr)
	}
	// What a server leaves that is killed while it writes a snapshot.
	unfinished, _ := filepath.Glob(filepath.Join(n.o.Data, "snapshots", "*.tmp"))
	for _, dir := range unfinished {
		if err := os.RemoveAll(dir); err != nil {
			return nil, err
		}
	}
	snapshots, err := raft.NewFileSnapshotStoreWithLogger(n.o.Data, 2, n.o.Log)
	if err != nil {
		return nil, err
	}
	return tellingSnapshots{snapshots, n}, n.checkSnapshots(snapshots)
}

// checkSnapshots ends what a killed server has begun, and refuses a folder whose newest snapshot is damaged, or in which entries are
// missing between that one and the log.
func (n *Node) checkSnapshots(store raft.SnapshotStore) error {
	have := uint64(0)
	dirs, err := filepath.Glob(filepath.Join(n.o.Data, "snapshots", "*-*-*"))
	if err != nil {
		return err
	}
	metas, err := store.List()
	if err == nil && len(metas) == 0 && len(dirs) > 0 {
		err = errors.New("none can be read")
	}
	if err == nil && len(metas) > 0 {
		have = metas[0].Index
		_, reader, openErr := store.Open(metas[0].ID)
		if err = openErr; err == nil {
			err = reader.Close()
		} else {
			err = fmt.Errorf("%s: %w", metas[0].ID, err)
		}
	}
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrData, filepath.Join(n.o.Data, "snapshots"), err)
	}
	first, err := n.log.FirstIndex()
	if err != nil {
		return err
	}
	last, err := n.log.LastIndex()
	if err != nil {
		return err
	}
	switch {
	case first > have+1:
		return fmt.Errorf("%w: %s: there is a snapshot up to entry %d, and a log from %d on: what is between is lost",
			ErrData, n.o.Data, have, first)
	case first > 0 && last < have:
		// It was killed between a snapshot that another server has sent and the end of the
		// log that this one takes the place of.
		return n.log.DeleteRange(first, last)
	}
	return nil
}

// found begins a cluster in a new folder, unless one is to be joined.
func (n *Node) found(c *raft.Config, snapshots raft.SnapshotStore) error {
	owner := filepath.Join(n.o.Data, ownerFile)
	if _, err := os.Stat(owner); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	old, err := raft.HasExistingState(n.log, n.log, snapshots)
	if err == nil && !old && !n.o.Join {
		if err := n.checkNew(); err != nil {
			return err
		}
		var members raft.Configuration
		for _, addr := range n.initial() {
			members.Servers = append(members.Servers, raft.Server{ID: raft.ServerID(addr), Address: raft.ServerAddress(addr)})
		}
		err = raft.BootstrapCluster(c, n.log, n.log, snapshots, n.net, members)
	}
	if err == nil {
		err = n.log.Set(ownerKey, []byte(n.o.Addr))
	}
	if err == nil {
		err = writeFile(owner, n.o.Addr+"\n")
	}
	return err
}

// checkNew refuses to begin where another server leads a cluster and knows that this one has
// had entries: it has lost its folder, and with it its votes.
func (n *Node) checkNew() error {
	states := make(chan kvrpc.State, len(n.o.Peers))
	for _, peer := range n.o.Peers {
		go func() {
			state, _ := n.ask(n.life, peer)
			states <- state
		}()
	}
	var lost error
	for range n.o.Peers {
		state := <-states
		for _, m := range state.Members {
			if m.Addr == n.o.Addr && m.Match > 0 {
				lost = fmt.Errorf("%w: %s is empty, and server %s knows that this one has had entries up to %d; "+
					"what it has promised is lost: remove the member, and let it in again with --join", ErrData, n.o.Data, state.ID, m.Match)
			}
		}
	}
	return lost
}

// writeFile makes a file that is there after a power failure too, or not at all.
func writeFile(path, text string) error {
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// guarded is the log for raft. A write that fails is the last thing that this server does:
// raft would go on, or panic.
type guarded struct {
	*raftlog.Store
	n *Node
}

func (g *guarded) judge(err error) error {
	if err == nil {
		return nil
	}
	g.n.broken(fmt.Errorf("the log cannot be written, this server takes no part any more: %w", err))
	<-g.n.life.Done()
	runtime.Goexit() // a goroutine of raft's
	return err
}

func (g *guarded) StoreLog(l *raft.Log) error          { return g.judge(g.Store.StoreLog(l)) }
func (g *guarded) StoreLogs(entries []*raft.Log) error { return g.judge(g.Store.StoreLogs(entries)) }
func (g *guarded) DeleteRange(first, last uint64) error {
	return g.judge(g.Store.DeleteRange(first, last))
}
func (g *guarded) Set(key, value []byte) error { return g.judge(g.Store.Set(key, value)) }
func (g *guarded) SetUint64(key []byte, value uint64) error {
	return g.judge(g.Store.SetUint64(key, value))
}

// tellingSnapshots tells of snapshots that cannot be written: raft tries again later, and the
// log grows until then.
type tellingSnapshots struct {
	raft.SnapshotStore
	n *Node
}

func (s tellingSnapshots) Create(version raft.SnapshotVersion, index, term uint64, members raft.Configuration, membersIndex uint64, t raft.Transport) (raft.SnapshotSink, error) {
	sink, err := s.SnapshotStore.Create(version, index, term, members, membersIndex, t)
	if err != nil {
		s.n.o.Tell("A snapshot cannot be written: %v", err)
		return nil, err
	}
	return &tellingSink{sink, s.n}, nil
}

type tellingSink struct {
	raft.SnapshotSink
	n *Node
}

func (s *tellingSink) Write(b []byte) (int, error) {
	written, err := s.SnapshotSink.Write(b)
	if err != nil {
		s.n.o.Tell("A snapshot cannot be written: %v", err)
	}
	return written, err
}

func (s *tellingSink) Close() error {
	err := s.SnapshotSink.Close()
	if err != nil {
		s.n.o.Tell("A snapshot cannot be written: %v", err)
	}
	return err
}
