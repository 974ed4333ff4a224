package p14mmapdb

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"unpipc/projects/internal/measure"
)

// rows compare mmapdb with LMDB, bbolt and SQLite.
func rows(cfg measure.Config) []measure.Row {
	if cfg.Quick { // a store is filled for each run
		return compared(10_000).rows()
	}
	return compared(200_000).rows()
}

// compared stores have so many records where reading is measured.
type compared int

func (records compared) rows() []measure.Row {
	const check = "every value that is read is compared with what was put, and after puts and fill all records are read; " +
		"the program fails at the first difference"
	there := fmt.Sprintf("one process; keys of 16 bytes, values of 100, %d records; ", records)
	row := func(name, what, load, unit string, goals map[string]float64) measure.Row {
		r := measure.Row{Group: "exercise 14", Name: "mmapdb_" + name, What: what, Check: check, Unit: measure.Unit(unit),
			Detail: load == "scan" || load == "beside"}
		if load != "fill" { // a store is filled for each run
			r.Beside = time.Second
		}
		for _, p := range peers {
			r.Variants = append(r.Variants, measure.Variant{
				Name: p.name, Goal: goals[p.name],
				Run: func(ctx context.Context, cfg *measure.Config, n int64) (measure.Sample, error) {
					return records.measured(ctx, cfg, p, load, n)
				},
			})
		}
		return r
	}
	return []measure.Row{
		row("gets", there+"random gets in one state, no copy", "gets", "gets/s", map[string]float64{"LMDB": 1.2, "bbolt": 2}),
		row("scan", there+"all in order, key and value, again and again", "scan", "records/s", map[string]float64{"LMDB": 1}),
		row("puts", there+"new values of random ones, a transaction each, on the disk before the next (SQLite: WAL, synchronous=FULL)",
			"puts", "puts/s", map[string]float64{"LMDB": 1.5}),
		row("fill", "one process; an empty store filled in an order that jumps, 1000 records a transaction, on the disk before the next",
			"fill", "records/s", map[string]float64{"LMDB": 1}),
		row("gets_beside", there+"random gets, a new state every 100, beside a process that writes as in mmapdb_puts",
			"beside", "gets/s", nil),
	}
}

// peer is a store and the program that puts the load on it, below the folder of the programs.
type peer struct{ name, program, store, library string }

var peers = []peer{
	{"Go", "p14/mmapdb_load", "mmapdb", ""},
	{"C", "p14/peers/reference", "", "a C compiler"},
	{"LMDB", "p14/peers/lmdb", "", "liblmdb"},
	{"bbolt", "p14/mmapdb_load", "bbolt", ""},
	{"SQLite", "p14/peers/sqlite", "", "libsqlite3"},
}

// measured makes a new store and runs a load on it.
func (records compared) measured(ctx context.Context, cfg *measure.Config, p peer, load string, n int64) (s measure.Sample, err error) {
	program := filepath.Join(cfg.Bin, p.program)
	if _, err := os.Stat(program); p.library != "" && errors.Is(err, fs.ErrNotExist) {
		return s, measure.Skip("%s was not there when the programs were built", p.library)
	}
	if p.name == "bbolt" && load == "beside" {
		return s, measure.Skip("a process that may write keeps all others out")
	}
	// Not in memory: what a flush costs is part of it.
	dir, err := os.MkdirTemp("", fmt.Sprintf("unpipc-%d-mmapdb-", os.Getpid()))
	if err != nil {
		return s, err
	}
	defer os.RemoveAll(dir)
	args := func(sync, load string, count int64) []string {
		args := []string{program}
		if p.store != "" {
			args = append(args, p.store)
		}
		return append(args, filepath.Join(dir, "store"), sync, load, strconv.Itoa(int(records)), strconv.FormatInt(count, 10))
	}
	if load != "fill" {
		if _, err := measure.Timed(ctx, cfg, int64(records), args("no-sync", "setup", int64(records))...); err != nil {
			return s, err
		}
		if err := flushAll(dir); err != nil {
			return s, err
		}
	}
	if load == "beside" {
		stop, err := beside(ctx, cfg, args("sync", "puts", 1<<40))
		if err != nil {
			return s, err
		}
		defer func() { err = errors.Join(err, stop()) }()
	}
	count := n
	if load == "fill" {
		count = max(n, transaction)
	}
	s, err = measure.Timed(ctx, cfg, count, args("sync", load, count)...)
	if err == nil && count > n { // such a run reports its share of the time
		s.Elapsed, s.Verified = max(1, time.Duration(float64(s.Elapsed)*float64(n)/float64(count))), n
	}
	return s, err
}

// transaction is how many records a store is filled with at once, and at least.
const transaction = 1000

// flushAll brings what was set up to the disk, so that no load waits for it.
func flushAll(dir string) error {
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	for _, name := range names {
		f, e := os.Open(name)
		if e == nil {
			e = errors.Join(f.Sync(), f.Close())
		}
		err = errors.Join(err, e)
	}
	return err
}

var errEnough = errors.New("measured")

// beside starts a process that writes until stop is called; an error of stop is that it had
// ended before.
func beside(ctx context.Context, cfg *measure.Config, args []string) (stop func() error, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	c, err := measure.Start(ctx, cfg, 0, measure.Command{Args: args})
	if err != nil {
		cancel(nil)
		return nil, err
	}
	ended := make(chan error, 1)
	go func() {
		_, err := c.Wait()
		ended <- err
	}()
	stop = func() error {
		cancel(errEnough)
		if err := <-ended; !errors.Is(err, errEnough) {
			return fmt.Errorf("the writer did not go on: %w", err)
		}
		return nil
	}
	for !strings.HasPrefix(c.Output(), "writing") {
		select {
		case err := <-ended:
			cancel(nil)
			return nil, fmt.Errorf("the writer: %w", err)
		case <-time.After(time.Millisecond):
		}
	}
	return stop, nil
}
