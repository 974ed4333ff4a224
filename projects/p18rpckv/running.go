package p18rpckv

import (
	"context"
	"errors"
	"fmt"
	"os"

	"unpipc/projects/internal/measure"
)

// running are the clusters that rows have started, by their kinds: those after them use them
// too, for to start one takes longer than to measure it.
type running struct{ of map[string]*started }

type started struct {
	Cluster
	dir string
}

func (r *running) variant(s store, do workload) measure.Variant {
	return measure.Variant{Name: s.name, Run: func(ctx context.Context, cfg *measure.Config, n int64) (measure.Sample, error) {
		c, err := r.cluster(ctx, cfg, s)
		if err != nil {
			return measure.Sample{}, err
		}
		took, err := do(ctx, c, n)
		if err != nil {
			delete(r.of, s.name)
			return measure.Sample{}, errors.Join(err, c.end())
		}
		return measure.Sample{Elapsed: took, Verified: n}, nil
	}}
}

func (r *running) cluster(ctx context.Context, cfg *measure.Config, s store) (*started, error) {
	if c := r.of[s.name]; c != nil {
		return c, nil
	}
	// On the disk that the programs are on: /tmp is often none.
	dir, err := os.MkdirTemp(cfg.Bin, fmt.Sprintf("unpipc-%d-kv-", os.Getpid()))
	if err != nil {
		return nil, err
	}
	c, err := s.start(ctx, cfg, dir)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	r.of[s.name] = &started{c, dir}
	return r.of[s.name], nil
}

func (s *started) end() error { return errors.Join(s.Stop(), os.RemoveAll(s.dir)) }

// Close ends all of them.
func (r *running) Close() (err error) {
	for name, c := range r.of {
		if failed := c.end(); failed != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", name, failed))
		}
	}
	clear(r.of)
	return err
}
