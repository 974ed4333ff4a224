package etcd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
)

const (
	retry  = 100 * time.Millisecond // how long the first tries after a failed one last
	oneTry = 6 * time.Second        // the longest one
	pause  = 50 * time.Millisecond  // between two rounds of tries
)

// session is a client of etcd, with a connection to each member that it has needed. Like
// ours it begins with the first member, leader or not, and goes on at the next one when that
// does not answer.
type session struct {
	conns []*grpc.ClientConn
	last  int // index of the member that has answered
}

func dial(addrs []string) (*session, error) {
	s := &session{}
	// A member that was dead is to be found soon when it is back.
	again := grpc.ConnectParams{
		Backoff:           backoff.Config{BaseDelay: pause, Multiplier: 1.2, MaxDelay: 4 * pause},
		MinConnectTimeout: oneTry,
	}
	for _, addr := range addrs {
		conn, err := grpc.NewClient("passthrough:///"+addr, grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithNoProxy(), grpc.WithConnectParams(again))
		if err != nil {
			return s, err
		}
		s.conns = append(s.conns, conn)
	}
	return s, nil
}

func (s *session) Close() error {
	var all error
	for _, conn := range s.conns {
		all = errors.Join(all, conn.Close())
	}
	return all
}

// Put is a put like any other one of etcd's. Unlike one of ours it may be done again by a try
// that was given up, even after the next put; a workload sees what it has put last undone then.
func (s *session) Put(ctx context.Context, key string, value []byte) error {
	_, err := s.put(ctx, key, value)
	return err
}

// put returns the revision of the store that the put has made.
func (s *session) put(ctx context.Context, key string, value []byte) (revision int64, err error) {
	err = s.call(ctx, func(ctx context.Context, kv etcdserverpb.KVClient) error {
		r, err := kv.Put(ctx, &etcdserverpb.PutRequest{Key: []byte(key), Value: value})
		if err == nil {
			revision = r.Header.Revision
		}
		return err
	})
	return revision, err
}

// Get is linearizable: etcd's default.
func (s *session) Get(ctx context.Context, key string) (value []byte, err error) {
	err = s.call(ctx, func(ctx context.Context, kv etcdserverpb.KVClient) error {
		r, err := kv.Range(ctx, &etcdserverpb.RangeRequest{Key: []byte(key)})
		if err == nil {
			value = nil
			for _, found := range r.Kvs {
				value = found.Value
			}
		}
		return err
	})
	return value, err
}

// call tries one member after the other until ctx ends. A member that has not noticed yet
// that the leader is dead loses what it passes on, and answers after 7 s; so the first try
// ends when there may be a new leader, and the next ones are short, but get longer for a
// machine that is slow.
func (s *session) call(ctx context.Context, do func(context.Context, etcdserverpb.KVClient) error) error {
	patience := election
	for {
		for range s.conns {
			try, cancel := context.WithTimeout(ctx, patience)
			err := do(try, etcdserverpb.NewKVClient(s.conns[s.last]))
			cancel()
			if err == nil {
				return nil
			}
			if ctx.Err() != nil {
				return fmt.Errorf("%w: %w", context.Cause(ctx), err)
			}
			s.last = (s.last + 1) % len(s.conns)
			if patience == election {
				patience = retry
			}
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
		patience = min(2*patience, oneTry)
	}
}
