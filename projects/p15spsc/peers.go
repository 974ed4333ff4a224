package p15spsc

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"unpipc/projects/internal/measure"
)

// What Go itself has between two goroutines: a channel, and a ring with sync.Mutex and
// sync.Cond, which never leave the process's own code while nobody sleeps.

func channelPeer(_ context.Context, _ *measure.Config, n int64) (measure.Sample, error) {
	ch := make(chan uint64, DefaultCapacity)
	return goPeer(n, func(v uint64) { ch <- v }, func() uint64 { return <-ch })
}

func syncPeer(_ context.Context, _ *measure.Config, n int64) (measure.Sample, error) {
	var ring [DefaultCapacity]uint64
	var head, tail uint64
	var mutex sync.Mutex
	full, empty := sync.NewCond(&mutex), sync.NewCond(&mutex)
	return goPeer(n, func(v uint64) {
		mutex.Lock()
		for tail-head == DefaultCapacity {
			empty.Wait()
		}
		ring[tail%DefaultCapacity] = v
		tail++
		if tail-head == 1 {
			full.Signal()
		}
		mutex.Unlock()
	}, func() uint64 {
		mutex.Lock()
		for tail == head {
			full.Wait()
		}
		v := ring[head%DefaultCapacity]
		head++
		if tail-head == DefaultCapacity-1 {
			empty.Signal()
		}
		mutex.Unlock()
		return v
	})
}

// goPeer moves a queueful, then n items that count.
func goPeer(n int64, push func(uint64), pop func() uint64) (measure.Sample, error) {
	last := DefaultCapacity + uint64(n)
	go func() {
		for v := range last {
			push(v)
		}
	}()
	var failed error
	var start time.Time
	for want := range last { // to the end, whatever comes: the producer is not to be left behind
		if want == DefaultCapacity {
			start = time.Now()
		}
		if v := pop(); v != want && failed == nil {
			failed = wrong(v, want)
		}
	}
	return measure.Sample{Elapsed: time.Since(start), Verified: n}, failed
}

// boostPeer is boost::lockfree::spsc_queue between two threads, by a program that "make
// build" makes where there are a C++ compiler and Boost's headers.
func boostPeer(ctx context.Context, cfg *measure.Config, n int64) (measure.Sample, error) {
	program := filepath.Join(cfg.Bin, "p15", "peers", "boost_spsc")
	if _, err := os.Stat(program); errors.Is(err, fs.ErrNotExist) {
		return measure.Sample{}, measure.Skip("a C++ compiler or libboost-dev was not there when the programs were built")
	}
	printed, err := measure.Together(ctx, cfg, measure.Command{Args: []string{program, strconv.FormatInt(n, 10)}})
	if err != nil {
		return measure.Sample{}, err
	}
	var o outcome
	err = json.Unmarshal([]byte(printed[0]), &o)
	return measure.Sample{Elapsed: time.Duration(o.NS), Verified: int64(o.Count)}, err
}
