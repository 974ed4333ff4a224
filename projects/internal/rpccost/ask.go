package rpccost

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"unpipc/gobind/kvrpc"
	"unpipc/gobind/sunrpc"
	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/message"
)

// key is where all values are put.
var key = []byte("value")

// ask makes the calls, one after the other.
func (r *role) ask(ctx context.Context) (o measure.Outcome, err error) {
	c, err := sunrpc.Dial(ctx, r.network, r.addr, kvrpc.Program, sunrpc.Options{})
	if err != nil {
		return o, err
	}
	defer c.Close()
	kv := kvrpc.NewClient(c)
	m := make([]byte, r.size)
	put := func(seq uint64) error {
		written, err := kv.Put(ctx, kvrpc.WriteID{Sequence: seq}, key, m)
		if err == nil && written.Revision != seq {
			err = fmt.Errorf("it was taken for %d", written.Revision)
		}
		if err != nil {
			return fmt.Errorf("message %d: %w", seq, err)
		}
		return nil
	}
	for seq := uint64(1); seq <= r.warmup; seq++ {
		message.Fill(m, seq)
		if err := put(seq); err != nil {
			return o, err
		}
	}
	times := measure.NewTimes()
	start := time.Now()
	var before time.Duration
	for seq := r.warmup + 1; seq <= r.warmup+r.count; seq++ {
		message.Stamp(m, seq)
		if err := put(seq); err != nil {
			return o, err
		}
		after := time.Since(start)
		if err := times.RecordValue(int64(after - before)); err != nil {
			return o, err
		}
		before = after
	}
	found, err := kv.Get(ctx, key, kvrpc.Read{})
	if err == nil && (found.Revision != r.warmup+r.count || !bytes.Equal(found.Value, m)) {
		err = errors.New("the server does not have the last message")
	}
	return measure.Outcome{Count: int64(r.count), NS: before.Nanoseconds(), Histogram: measure.Pairs(times)}, err
}
