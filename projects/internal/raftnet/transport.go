package raftnet

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"unpipc/gobind/raftrpc"
	"unpipc/gobind/sunrpc"
)

// MaxRecord is what the server of a [Transport.Service] must take:
// [sunrpc.ServerOptions].MaxRecord.
const MaxRecord = 4 << 20

// What the entries of a call may hold, unless it is one alone; the rest of a record is for
// what goes with them.
const maxAppend = MaxRecord / 2

// Connections to a peer: entries, heartbeats, votes, and one to spare.
const connections = 4

// Options are times; the zero value of each is a default.
type Options struct {
	Timeout time.Duration // for a call to be answered, and for raft to take one: 3 s
	Install time.Duration // for a snapshot that has come whole to be installed: 1 min
	Stall   time.Duration // between two parts of a snapshot: 10 s
}

func (o *Options) setDefaults() {
	for _, d := range []struct {
		value    *time.Duration
		standard time.Duration
	}{{&o.Timeout, 3 * time.Second}, {&o.Install, time.Minute}, {&o.Stall, 10 * time.Second}} {
		if *d.value <= 0 {
			*d.value = d.standard
		}
	}
}

// Transport is a raft.Transport, raft.WithPreVote and raft.WithClose.
type Transport struct {
	options  Options
	addr     raft.ServerAddress
	consumer chan raft.RPC
	life     context.Context // until Close
	end      context.CancelFunc

	mu        sync.Mutex
	pools     map[raft.ServerAddress]*sunrpc.Pool // nil: closed
	heartbeat func(raft.RPC)
	stream    *stream // the snapshot that is being received, or nil
	streams   uint64  // how many there have been

	replicas replicas
}

var (
	_ raft.Transport   = (*Transport)(nil)
	_ raft.WithPreVote = (*Transport)(nil)
	_ raft.WithClose   = (*Transport)(nil)
)

// New makes a transport of the server that others reach at addr, a host and a TCP port.
func New(addr raft.ServerAddress, o Options) *Transport {
	o.setDefaults()
	t := &Transport{
		options: o, addr: addr, consumer: make(chan raft.RPC),
		pools: map[raft.ServerAddress]*sunrpc.Pool{},
	}
	t.life, t.end = context.WithCancel(context.Background())
	t.replicas.init()
	return t
}

// Consumer gives raft the calls of others.
func (t *Transport) Consumer() <-chan raft.RPC { return t.consumer }

// LocalAddr is where others reach this server.
func (t *Transport) LocalAddr() raft.ServerAddress { return t.addr }

// EncodePeer is the address as bytes.
func (t *Transport) EncodePeer(_ raft.ServerID, addr raft.ServerAddress) []byte { return []byte(addr) }

// DecodePeer is the address that [Transport.EncodePeer] has encoded.
func (t *Transport) DecodePeer(b []byte) raft.ServerAddress { return raft.ServerAddress(b) }

// SetHeartbeatHandler sets what answers heartbeats beside raft's loop.
func (t *Transport) SetHeartbeatHandler(handler func(raft.RPC)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.heartbeat = handler
}

// Close ends all calls, made and received. raft calls it.
func (t *Transport) Close() error {
	t.end()
	t.mu.Lock()
	pools := t.pools
	t.pools = nil
	t.mu.Unlock()
	for _, pool := range pools {
		_ = pool.Close()
	}
	t.abort(raft.ErrTransportShutdown)
	return nil
}

// peer is the pool of connections to an address.
func (t *Transport) peer(addr raft.ServerAddress) (*raftrpc.Client, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.pools == nil {
		return nil, raft.ErrTransportShutdown
	}
	pool := t.pools[addr]
	if pool == nil {
		pool = sunrpc.NewPool(connections, func(ctx context.Context) (*sunrpc.Client, error) {
			return t.dial(ctx, addr)
		})
		t.pools[addr] = pool
	}
	return raftrpc.NewClient(pool), nil
}

func (t *Transport) dial(ctx context.Context, addr raft.ServerAddress) (*sunrpc.Client, error) {
	// The context of a call bounds it.
	timeout := max(t.options.Timeout, t.options.Install)
	return sunrpc.Dial(ctx, "tcp", string(addr), raftrpc.Program, sunrpc.Options{Timeout: timeout})
}

// call makes a call to a peer, in the time for one.
func call[T any](t *Transport, what string, addr raft.ServerAddress, do func(context.Context, *raftrpc.Client) (T, error)) (T, error) {
	client, err := t.peer(addr)
	var got T
	if err == nil {
		ctx, cancel := context.WithTimeout(t.life, t.options.Timeout)
		defer cancel()
		got, err = do(ctx, client)
	}
	if err != nil {
		err = fmt.Errorf("%s %s: %w", what, addr, err)
	}
	return got, err
}

// AppendEntriesPipeline says that there is none.
func (t *Transport) AppendEntriesPipeline(raft.ServerID, raft.ServerAddress) (raft.AppendPipeline, error) {
	return nil, raft.ErrPipelineReplicationNotSupported
}

// RequestVote asks a peer for its vote.
func (t *Transport) RequestVote(_ raft.ServerID, target raft.ServerAddress, args *raft.RequestVoteRequest, resp *raft.RequestVoteResponse) error {
	got, err := call(t, "ask for the vote of", target, func(ctx context.Context, c *raftrpc.Client) (raftrpc.VoteResult, error) {
		return c.Vote(ctx, &raftrpc.VoteArgs{
			Header: headerTo(args.RPCHeader), Term: args.Term,
			LastIndex: args.LastLogIndex, LastTerm: args.LastLogTerm, Transfer: args.LeadershipTransfer,
		})
	})
	*resp = raft.RequestVoteResponse{RPCHeader: headerFrom(got.Header), Term: got.Term, Granted: got.Granted}
	return err
}

// RequestPreVote asks a peer whether it would give its vote.
func (t *Transport) RequestPreVote(_ raft.ServerID, target raft.ServerAddress, args *raft.RequestPreVoteRequest, resp *raft.RequestPreVoteResponse) error {
	got, err := call(t, "ask beforehand for the vote of", target, func(ctx context.Context, c *raftrpc.Client) (raftrpc.VoteResult, error) {
		return c.PreVote(ctx, &raftrpc.VoteArgs{
			Header: headerTo(args.RPCHeader), Term: args.Term, LastIndex: args.LastLogIndex, LastTerm: args.LastLogTerm,
		})
	})
	*resp = raft.RequestPreVoteResponse{RPCHeader: headerFrom(got.Header), Term: got.Term, Granted: got.Granted}
	return err
}

// TimeoutNow has a peer stand for election at once.
func (t *Transport) TimeoutNow(_ raft.ServerID, target raft.ServerAddress, args *raft.TimeoutNowRequest, resp *raft.TimeoutNowResponse) error {
	got, err := call(t, "hand over to", target, func(ctx context.Context, c *raftrpc.Client) (raftrpc.Header, error) {
		header := headerTo(args.RPCHeader)
		return c.TimeoutNow(ctx, &header)
	})
	*resp = raft.TimeoutNowResponse{RPCHeader: headerFrom(got)}
	return err
}

// InstallSnapshot sends a snapshot to a peer, over a connection of its own; whatever ends
// it early ends the stream at the peer.
func (t *Transport) InstallSnapshot(_ raft.ServerID, target raft.ServerAddress, args *raft.InstallSnapshotRequest, resp *raft.InstallSnapshotResponse, snapshot io.Reader) error {
	got, err := t.send(target, args, snapshot)
	*resp = raft.InstallSnapshotResponse{RPCHeader: headerFrom(got.Header), Term: got.Term, Success: got.Success}
	if err != nil {
		return fmt.Errorf("send a snapshot to %s: %w", target, err)
	}
	return nil
}

func (t *Transport) send(target raft.ServerAddress, args *raft.InstallSnapshotRequest, snapshot io.Reader) (raftrpc.SnapshotResult, error) {
	within := func(d time.Duration, do func(context.Context) error) error {
		ctx, cancel := context.WithTimeout(t.life, d)
		defer cancel()
		return do(ctx)
	}
	var result raftrpc.SnapshotResult
	var conn *sunrpc.Client
	err := within(t.options.Timeout, func(ctx context.Context) (err error) {
		conn, err = t.dial(ctx, target)
		return err
	})
	if err != nil {
		return result, err
	}
	defer conn.Close()
	client := raftrpc.NewClient(conn)
	var number, offset uint64
	err = within(t.options.Stall, func(ctx context.Context) (err error) {
		number, err = client.OpenSnapshot(ctx, &raftrpc.SnapshotArgs{
			Header: headerTo(args.RPCHeader), Format: int32(args.SnapshotVersion),
			Term: args.Term, LastIndex: args.LastLogIndex, LastTerm: args.LastLogTerm,
			Configuration: args.Configuration, ConfigurationIndex: args.ConfigurationIndex, Size: args.Size,
		})
		return err
	})
	if err != nil {
		return result, err
	}
	for chunk := make([]byte, raftrpc.MaxChunk); ; {
		n, err := io.ReadFull(snapshot, chunk)
		if n == 0 && err == io.EOF {
			break
		}
		if err != nil && err != io.ErrUnexpectedEOF {
			return result, err
		}
		if err := within(t.options.Stall, func(ctx context.Context) error {
			return client.SnapshotChunk(ctx, number, offset, chunk[:n])
		}); err != nil {
			return result, err
		}
		offset += uint64(n)
	}
	err = within(t.options.Install, func(ctx context.Context) (err error) {
		result, err = client.CloseSnapshot(ctx, number)
		return err
	})
	return result, err
}

func headerTo(h raft.RPCHeader) raftrpc.Header {
	return raftrpc.Header{Protocol: int32(h.ProtocolVersion), ID: h.ID, Addr: h.Addr}
}

func headerFrom(h raftrpc.Header) raft.RPCHeader {
	return raft.RPCHeader{ProtocolVersion: raft.ProtocolVersion(h.Protocol), ID: h.ID, Addr: h.Addr}
}
