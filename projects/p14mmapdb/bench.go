package p14mmapdb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"unpipc/projects/internal/measure"
)

// rows compare mmapdb with LMDB, bbolt and SQLite.
func rows(cfg measure.Config) []measure.Row {
	if cfg.Quick { // a store is set up for each run that changes it
		return compared(10_000).rows(100_000)
	}
	return compared(200_000).rows(100_000)
}

// compared stores have so many records.
type compared int

// runner is what a row does with a peer.
type runner func(ctx context.Context, cfg *measure.Config, p peer, n int64) (measure.Sample, error)

// rows are those of stores with so many records, and of filling one with filled records.
func (records compared) rows(filled compared) []measure.Row {
	const check = "every value that is read is compared with what was put, and after puts and fill all records are read; " +
		"the program fails at the first difference"
	there := records.there()
	row := func(name, what, unit string, run runner, goals map[string]float64) measure.Row {
		r := measure.Row{Group: "exercise 14", Name: "mmapdb_" + name, What: what, Check: check, Unit: measure.Unit(unit)}
		for _, p := range peers {
			r.Variants = append(r.Variants, measure.Variant{
				Name: p.name, Goal: goals[p.name],
				Run: func(ctx context.Context, cfg *measure.Config, n int64) (measure.Sample, error) {
					if err := p.built(cfg); err != nil {
						return measure.Sample{}, err
					}
					return run(ctx, cfg, p, n)
				},
			})
		}
		return r
	}
	const hot = "after all were read once: "
	full := &kept{records: int(records), of: map[string]*stored{}}
	gets := row("gets", there+hot+"random gets in one state, no copy", "gets/s", full.read("gets"), map[string]float64{"LMDB": 1.2, "bbolt": 2})
	scan := row("scan", there+hot+"all in order, key and value, again and again", "records/s", full.read("scan"), map[string]float64{"LMDB": 1})
	for _, r := range []*measure.Row{&gets, &scan} {
		r.Kept, r.Beside, r.Least = full, 200*time.Millisecond, 50*time.Millisecond
	}
	puts := row("puts", there+"new values of random ones, a transaction each, on the disk before the next (SQLite: WAL, synchronous=FULL)",
		"puts/s", records.puts, map[string]float64{"LMDB": 1.5})
	fill := row("fill", filled.there()+"all put into an empty store in an order that jumps, 1000 a transaction, on the disk before the next",
		"records/s", filled.fill, map[string]float64{"LMDB": 1})
	beside := row("gets_beside", there+"random gets, a new state every 100, beside a process that writes as in mmapdb_puts",
		"gets/s", records.beside, nil)
	puts.Beside, fill.Beside, beside.Beside = time.Second, time.Second, time.Second
	puts.Least = 100 * time.Millisecond // what a writer has to find out first is not what puts cost
	scan.Detail, beside.Detail = true, true
	return []measure.Row{gets, scan, puts, fill, beside}
}

func (records compared) there() string {
	return fmt.Sprintf("one process; keys of 16 bytes, values of 100, %d records; ", records)
}

// read is a load that leaves a store as it is: its runs share one.
func (k *kept) read(load string) runner {
	return func(ctx context.Context, cfg *measure.Config, p peer, n int64) (measure.Sample, error) {
		s, err := k.store(ctx, cfg, p)
		if err != nil {
			return measure.Sample{}, err
		}
		return s.run(ctx, cfg, load, n)
	}
}

func (records compared) puts(ctx context.Context, cfg *measure.Config, p peer, n int64) (sample measure.Sample, err error) {
	s, err := newFull(ctx, cfg, p, int(records))
	if err != nil {
		return sample, err
	}
	defer func() { err = errors.Join(err, s.remove()) }()
	return s.run(ctx, cfg, "puts", n)
}

// fill fills stores as a whole, until n records were put: what the first transactions of
// a store cost is not what filling it does. A run reports its share of the time.
func (records compared) fill(ctx context.Context, cfg *measure.Config, p peer, n int64) (sample measure.Sample, err error) {
	each := int64(records)
	if n < transaction {
		each = transaction // to find n
	}
	var elapsed time.Duration
	done := int64(0)
	for ; done < n; done += each {
		s, err := newEmpty(p, int(records))
		if err != nil {
			return sample, err
		}
		one, err := s.run(ctx, cfg, "fill", each)
		if err = errors.Join(err, s.remove()); err != nil {
			return sample, err
		}
		elapsed += one.Elapsed
	}
	return measure.Sample{Elapsed: max(1, time.Duration(float64(elapsed)*float64(n)/float64(done))), Verified: n}, nil
}

// transaction is how many records a store is filled with at once.
const transaction = 1000

func (records compared) beside(ctx context.Context, cfg *measure.Config, p peer, n int64) (sample measure.Sample, err error) {
	if p.name == "bbolt" {
		return sample, measure.Skip("a process that may write keeps all others out")
	}
	s, err := newFull(ctx, cfg, p, int(records))
	if err != nil {
		return sample, err
	}
	defer func() { err = errors.Join(err, s.remove()) }()
	stop, err := s.written(ctx, cfg)
	if err != nil {
		return sample, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	return s.run(ctx, cfg, "beside", n)
}
