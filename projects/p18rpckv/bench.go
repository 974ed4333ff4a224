package p18rpckv

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"unpipc/projects/internal/measure"
)

// rows compare clusters of three servers on this machine, with their logs on one disk.
func rows(measure.Config) []measure.Row {
	clusters := &running{of: map[string]*started{}}
	row := func(name, what string, unit measure.Unit, do workload) measure.Row {
		r := measure.Row{
			Group: "exercise 18", Name: name, What: what, Unit: unit, Beside: 300 * time.Millisecond, Kept: clusters,
			Check: "every get has the value that was put last",
		}
		for _, s := range stores {
			r.Variants = append(r.Variants, clusters.variant(s, do))
		}
		return r
	}
	failover := row("kv_failover", "from kill -9 of the leader to the answer to the next put; who hears nothing of a leader for 1 to 2 s has another one elected", measure.Nanoseconds, failovers)
	failover.Detail = true // it takes its time
	return []measure.Row{
		row("kv_puts_16", "16 clients with a connection each put values of 100 bytes, each on the disks of two of three servers before it is answered", "puts/s", puts(16)),
		row("kv_gets_16", "16 clients with a connection each get values that a majority proves to be current", "gets/s", gets(16)),
		row("lat_kv_put", "one client puts values of 100 bytes; mean of all", measure.Nanoseconds, puts(1)),
		row("lat_kv_get", "one client gets a value that a majority proves to be current; mean of all", measure.Nanoseconds, gets(1)),
		failover,
	}
}

// workload does n operations, and says what time they took.
type workload func(ctx context.Context, c Cluster, n int64) (time.Duration, error)

// each has clients do what they do n times together.
func each(ctx context.Context, c Cluster, clients int, n int64, do func(ctx context.Context, client int, s Session, last bool) error) (time.Duration, error) {
	var left atomic.Int64
	left.Store(n)
	failed := make(chan error, clients)
	var all sync.WaitGroup
	begin := make(chan struct{})
	for i := range clients {
		s, err := c.Connect()
		if err != nil {
			close(begin)
			all.Wait()
			return 0, err
		}
		all.Go(func() {
			defer s.Close()
			<-begin
			for left.Add(-1) >= 0 {
				if err := do(ctx, i, s, false); err != nil {
					failed <- err
					return
				}
			}
			if err := do(ctx, i, s, true); err != nil {
				failed <- err
			}
		})
	}
	start := time.Now()
	close(begin)
	all.Wait()
	took := time.Since(start)
	select {
	case err := <-failed:
		return 0, err
	default:
		return took, nil
	}
}

func filled(text string) []byte { return fmt.Appendf(nil, "%-100s", text) }

// puts end with a look at what each client has put last.
func puts(clients int) workload {
	return func(ctx context.Context, c Cluster, n int64) (time.Duration, error) {
		counts := make([]int, clients)
		return each(ctx, c, clients, n, func(ctx context.Context, i int, s Session, last bool) error {
			key := fmt.Sprint("client ", i)
			if !last {
				counts[i]++
				return s.Put(ctx, key, filled(fmt.Sprint(counts[i])))
			}
			if counts[i] == 0 {
				return nil
			}
			return expect(ctx, s, key, fmt.Sprint(counts[i]))
		})
	}
}

func gets(clients int) workload {
	return func(ctx context.Context, c Cluster, n int64) (time.Duration, error) {
		s, err := c.Connect()
		if err != nil {
			return 0, err
		}
		for i := range clients {
			err = errors.Join(err, s.Put(ctx, fmt.Sprint("client ", i), filled(fmt.Sprint(i))))
		}
		if err = errors.Join(err, s.Close()); err != nil {
			return 0, err
		}
		return each(ctx, c, clients, n, func(ctx context.Context, i int, s Session, last bool) error {
			if last {
				return nil
			}
			return expect(ctx, s, fmt.Sprint("client ", i), fmt.Sprint(i))
		})
	}
}

func expect(ctx context.Context, s Session, key, want string) error {
	got, err := s.Get(ctx, key)
	if err == nil && string(got) != string(filled(want)) {
		err = fmt.Errorf("%s: %q in the place of %s", key, got, want)
	}
	return err
}

func failovers(ctx context.Context, c Cluster, n int64) (took time.Duration, err error) {
	s, err := c.Connect()
	if err != nil {
		return 0, err
	}
	defer s.Close()
	for i := range n {
		text := fmt.Sprint(i)
		if err := s.Put(ctx, "key", filled(text)); err != nil {
			return 0, err
		}
		start := time.Now()
		if err := c.KillLeader(ctx); err != nil {
			return 0, err
		}
		if err := s.Put(ctx, "next", filled(text)); err != nil {
			return 0, err
		}
		took += time.Since(start)
		if err := errors.Join(expect(ctx, s, "key", text), expect(ctx, s, "next", text), c.Restart(ctx)); err != nil {
			return 0, err
		}
	}
	return took, nil
}
