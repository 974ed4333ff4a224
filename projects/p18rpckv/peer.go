package p18rpckv

import (
	"context"

	"unpipc/projects/internal/measure"
)

// Peer is a cluster of another kind, of three servers, that ours is compared with.
type Peer interface {
	// Connect makes a client.
	Connect() (PeerSession, error)
	// KillLeader kills it by kill -9. Restart starts it again, and returns when it has
	// caught up.
	KillLeader(ctx context.Context) error
	Restart(ctx context.Context) error
	Stop() error
}

// PeerSession is a client of one. It does one thing at a time, and tries again until ctx ends.
type PeerSession interface {
	Put(ctx context.Context, key string, value []byte) error
	Get(ctx context.Context, key string) ([]byte, error)
	Close() error
}

// CompareWith adds a variant to the rows, whose clusters keep what they have in a folder. It
// is for packages that bring libraries with them which our programs have no use for.
func CompareWith(name string, start func(ctx context.Context, cfg *measure.Config, dir string) (Peer, error)) {
	stores = append(stores, store{name, func(ctx context.Context, cfg *measure.Config, dir string) (cluster, error) {
		p, err := start(ctx, cfg, dir)
		return peerCluster{p}, err
	}})
}

type peerCluster struct{ Peer }

func (c peerCluster) killLeader(ctx context.Context) error { return c.KillLeader(ctx) }
func (c peerCluster) restart(ctx context.Context) error    { return c.Restart(ctx) }
func (c peerCluster) stop() error                          { return c.Stop() }
func (c peerCluster) connect() (session, error) {
	s, err := c.Connect()
	return peerSession{s}, err
}

type peerSession struct{ PeerSession }

func (s peerSession) put(ctx context.Context, key string, value []byte) error {
	return s.Put(ctx, key, value)
}
func (s peerSession) get(ctx context.Context, key string) ([]byte, error) { return s.Get(ctx, key) }
