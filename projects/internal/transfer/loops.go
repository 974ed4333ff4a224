package transfer

import (
	"fmt"
	"time"

	"unpipc/gobind/frame"
	"unpipc/gobind/yield"
	"unpipc/projects/internal/measure"
	"unpipc/projects/internal/message"
)

// timed runs the timed loop. It yields now and then: a goroutine that is never scheduled
// for 10 ms loses its P in every system call that the runtime's monitor sees, every 20 µs,
// and waiting to get it back made round trips take half as long again. It must not yield
// often either, since each time the runtime wakes a thread to look for other work.
func (r *role) timed(operation func(seq uint64) error) error {
	every := min(max(lookBytes/len(r.m), 1), lookMessages)
	var pace yield.Pace
	for seq := uint64(1); seq <= r.count; seq++ {
		if err := operation(seq); err != nil {
			return err
		}
		pace.Step(every)
	}
	return nil
}

// After how much to look at the clock.
const (
	lookMessages = 64
	lookBytes    = 1 << 20
)

func (r *role) send(l *link) (*outcome, error) {
	for seq := uint64(1); seq <= r.warmup; seq++ {
		if err := r.putVerified(l, seq); err != nil {
			return nil, err
		}
	}
	if err := l.get(newMessage(1)); err != nil {
		return nil, err
	}
	put, flush := l.put, func() error { return nil }
	if r.batch > 0 {
		w := frame.NewWriter(l, r.batch)
		put, flush = func(m []byte) error { _, err := w.Write(m); return err }, w.Flush
	}
	m := r.m
	err := r.timed(func(seq uint64) error {
		m = l.stage(r.m, seq)
		message.Stamp(m, seq)
		return put(m)
	})
	if err != nil {
		return nil, err
	}
	if err := put(sum(m)); err != nil {
		return nil, err
	}
	return &outcome{Outcome: measure.Outcome{Count: int64(r.count)}}, flush()
}

func (r *role) recv(l *link) (*outcome, error) {
	for seq := uint64(1); seq <= r.warmup; seq++ {
		if err := getVerified(l, r.m, "warm-up", seq); err != nil {
			return nil, err
		}
	}
	m := r.m
	get := func(want []byte) ([]byte, error) { return want, l.get(want) }
	if r.batch > 0 {
		in := frame.NewReader(l, r.batch, max(len(r.m), sumSize))
		get = func(want []byte) ([]byte, error) {
			m, err := in.Next()
			if err == nil && len(m) != len(want) {
				err = fmt.Errorf("a frame of %d bytes, expected %d", len(m), len(want))
			}
			return m, err
		}
	}
	start := time.Now()
	if err := l.put([]byte("!")); err != nil {
		return nil, err
	}
	err := r.timed(func(seq uint64) (err error) {
		if m, err = get(r.m); err != nil {
			return err
		}
		return check(m, seq)
	})
	took := time.Since(start)
	if err != nil {
		return nil, err
	}
	copy(r.m, m) // a frame is gone with the next one
	sent, err := get(newMessage(sumSize))
	if err != nil {
		return nil, err
	}
	err = compare(r.m, sent, "last", r.count)
	return &outcome{measure.Outcome{Count: int64(r.count), NS: took.Nanoseconds()}, int64(r.warmup) + 1}, err
}

func (r *role) ping(l *link) (*outcome, error) {
	back := newMessage(len(r.m))
	for seq := uint64(1); seq <= r.warmup; seq++ {
		if err := r.putVerified(l, seq); err != nil {
			return nil, err
		}
		if err := getVerified(l, back, "warm-up", seq); err != nil {
			return nil, err
		}
	}
	times := measure.NewTimes()
	start := time.Now()
	var before time.Duration
	m := r.m
	err := r.timed(func(seq uint64) error {
		m = l.stage(r.m, seq)
		message.Stamp(m, seq)
		if err := l.put(m); err != nil {
			return err
		}
		if err := l.get(back); err != nil {
			return err
		}
		if err := check(back, seq); err != nil {
			return err
		}
		after := time.Since(start)
		err := times.RecordValue(int64(after - before))
		before = after
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := l.put(sum(m)); err != nil {
		return nil, err
	}
	err = getSum(l, back, "last", r.count)
	o := measure.Outcome{Count: int64(r.count), NS: before.Nanoseconds(), Histogram: measure.Pairs(times)}
	return &outcome{o, int64(r.warmup) + 1}, err
}

func (r *role) pong(l *link) (*outcome, error) {
	for seq := uint64(1); seq <= r.warmup; seq++ {
		if err := getVerified(l, r.m, "warm-up", seq); err != nil {
			return nil, err
		}
		if err := putWithSum(l, r.m); err != nil {
			return nil, err
		}
	}
	m := r.m
	err := r.timed(func(seq uint64) error {
		m = l.stage(r.m, seq)
		if err := l.get(m); err != nil {
			return err
		}
		if err := check(m, seq); err != nil {
			return err
		}
		return l.put(m)
	})
	if err != nil {
		return nil, err
	}
	if err := getSum(l, m, "last", r.count); err != nil {
		return nil, err
	}
	return &outcome{Outcome: measure.Outcome{Count: int64(r.count)}}, l.put(sum(m))
}

// putVerified sends a message of the warm-up.
func (r *role) putVerified(l *link, seq uint64) error {
	message.Fill(r.m, seq)
	return putWithSum(l, r.m)
}

func putWithSum(l *link, m []byte) error {
	if err := l.put(m); err != nil {
		return err
	}
	return l.put(sum(m))
}

func getVerified(l *link, m []byte, which string, seq uint64) error {
	if err := l.get(m); err != nil {
		return err
	}
	if err := check(m, seq); err != nil {
		return err
	}
	return getSum(l, m, which, seq)
}

func getSum(l *link, m []byte, which string, seq uint64) error {
	sent := newMessage(sumSize)
	if err := l.get(sent); err != nil {
		return err
	}
	return compare(m, sent, which, seq)
}
