package p18rpckv

import (
	"context"

	"unpipc/projects/internal/measure"
)

// Cluster is three servers that run.
type Cluster interface {
	// Connect makes a client.
	Connect() (Session, error)
	// KillLeader kills it by kill -9. Restart starts it again, and returns when it has
	// caught up.
	KillLeader(ctx context.Context) error
	Restart(ctx context.Context) error
	Stop() error
}

// Session is a client, which does one thing at a time and tries again until ctx ends.
type Session interface {
	Put(ctx context.Context, key string, value []byte) error
	Get(ctx context.Context, key string) ([]byte, error)
	Close() error
}

// store is a kind of cluster; the first one is ours.
type store struct {
	name  string
	start func(ctx context.Context, cfg *measure.Config, dir string) (Cluster, error)
}

var stores = []store{{"Go", startOurs}}

// CompareWith adds a variant to the rows, with clusters of another kind, which keep what they
// have in a folder. It is for packages that bring libraries with them which our programs have
// no use for.
func CompareWith(name string, start func(ctx context.Context, cfg *measure.Config, dir string) (Cluster, error)) {
	stores = append(stores, store{name, start})
}
