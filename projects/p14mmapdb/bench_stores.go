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

// peer is a store and the program that puts the load on it, below the folder of the programs.
type peer struct{ name, program, store, library string }

var peers = []peer{
	{"Go", "p14/mmapdb_load", "mmapdb", ""},
	{"C", "p14/peers/reference", "", "a C compiler"},
	{"LMDB", "p14/peers/lmdb", "", "liblmdb"},
	{"bbolt", "p14/mmapdb_load", "bbolt", ""},
	{"SQLite", "p14/peers/sqlite", "", "libsqlite3"},
}

// built is an error where the peer's program is not there.
func (p peer) built(cfg *measure.Config) error {
	_, err := os.Stat(filepath.Join(cfg.Bin, p.program))
	if p.library != "" && errors.Is(err, fs.ErrNotExist) {
		return measure.Skip("%s was not there when the programs were built", p.library)
	}
	return nil
}

// stored is a store of a peer, in a folder of its own.
type stored struct {
	peer
	dir     string
	records int // that loads are told of
}

// newEmpty is a store that is not there yet. It is not in memory: what a flush costs is part
// of what is measured.
func newEmpty(p peer, records int) (*stored, error) {
	dir, err := os.MkdirTemp("", fmt.Sprintf("unpipc-%d-mmapdb-", os.Getpid()))
	return &stored{p, dir, records}, err
}

// newFull is a store with all its records.
func newFull(ctx context.Context, cfg *measure.Config, p peer, records int) (*stored, error) {
	s, err := newEmpty(p, records)
	if err != nil {
		return nil, err
	}
	if _, err = measure.Timed(ctx, cfg, int64(records), s.args(cfg, "no-sync", "setup", int64(records))...); err == nil {
		err = s.flush()
	}
	if err != nil {
		return nil, errors.Join(err, s.remove())
	}
	return s, nil
}

func (s *stored) remove() error { return os.RemoveAll(s.dir) }

func (s *stored) args(cfg *measure.Config, sync, load string, count int64) []string {
	args := []string{filepath.Join(cfg.Bin, s.program)}
	if s.store != "" {
		args = append(args, s.store)
	}
	return append(args, filepath.Join(s.dir, "store"), sync, load, strconv.Itoa(s.records), strconv.FormatInt(count, 10))
}

// run puts a load on the store.
func (s *stored) run(ctx context.Context, cfg *measure.Config, load string, count int64) (measure.Sample, error) {
	return measure.Timed(ctx, cfg, count, s.args(cfg, "sync", load, count)...)
}

// flush brings what was set up to the disk, so that no load waits for it.
func (s *stored) flush() error {
	names, err := filepath.Glob(filepath.Join(s.dir, "*"))
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

// written starts a process that writes until stop is called; an error of stop is that it had
// ended before.
func (s *stored) written(ctx context.Context, cfg *measure.Config) (stop func() error, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	c, err := measure.Start(ctx, cfg, 0, measure.Command{Args: s.args(cfg, "sync", "puts", 1<<40)})
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

// kept are full stores that are only read, one of each peer. Close removes them.
type kept struct {
	records int
	of      map[string]*stored
}

// store is a peer's store, which is filled when it is asked for first.
func (k *kept) store(ctx context.Context, cfg *measure.Config, p peer) (s *stored, err error) {
	if s = k.of[p.name]; s == nil {
		if s, err = newFull(ctx, cfg, p, k.records); err == nil {
			k.of[p.name] = s
		}
	}
	return s, err
}

func (k *kept) Close() (err error) {
	for _, s := range k.of {
		err = errors.Join(err, s.remove())
	}
	clear(k.of)
	return err
}
