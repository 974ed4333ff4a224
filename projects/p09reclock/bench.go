package p09reclock

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"unpipc/projects/internal/measure"
)

// rows compares kvstore with tdb, which locks the same way, and with SQLite.
func rows(cfg measure.Config) []measure.Row {
	if cfg.Quick { // a store is filled for each run
		return stores(3000).rows()
	}
	return stores(100_000).rows()
}

// stores have so many keys when they are measured.
type stores int

func (keys stores) rows() []measure.Row {
	const check = "what is got is compared with what was set; the program fails at the first difference"
	gets := fmt.Sprintf("one process; a value of 100 bytes under a random one of %d keys, its checksum verified", keys)
	sets := fmt.Sprintf("one process; a new value of 100 bytes for a random one of %d keys; ", keys)
	const fill = 800 * time.Millisecond
	return []measure.Row{
		{
			Group: "exercise 9", Name: "kv_gets", Beside: fill, Check: check, Unit: "gets/s",
			What: gets + "; from the first to the last",
			Variants: []measure.Variant{
				keys.ours("Go", "p09", "gets", true), keys.ours("C", "p09/ref", "gets", true),
				goal(keys.peer("libtdb", "tdb", "gets", "no-sync"), 2), keys.peer("libsqlite3", "sqlite", "gets", "no-sync"),
			},
		}, {
			Group: "exercise 9", Name: "kv_sets", Beside: fill, Check: check, Unit: "sets/s",
			What: sets + "each is on the disk before the next (tdb: a transaction each; SQLite: WAL, synchronous=FULL)",
			Variants: []measure.Variant{
				keys.ours("Go", "p09", "sets", false), keys.ours("C", "p09/ref", "sets", false),
				goal(keys.peer("libtdb", "tdb", "sets", "sync"), 1), keys.peer("libsqlite3", "sqlite", "sets", "sync"),
			},
		}, {
			Group: "exercise 9", Name: "kv_sets_no_sync", Beside: fill, Check: check, Unit: "sets/s", Detail: true,
			What: sets + "each survives kill -9, not a power failure " +
				"(tdb: a transaction each, TDB_NOSYNC; SQLite: WAL, synchronous=OFF; unsafe: tdb without transactions, which a kill can damage)",
			Variants: []measure.Variant{
				keys.ours("Go", "p09", "sets", true), keys.ours("C", "p09/ref", "sets", true),
				goal(keys.peer("libtdb", "tdb", "sets", "no-sync"), 1), keys.peer("libsqlite3", "sqlite", "sets", "no-sync"),
				keys.peer("libtdb", "tdb", "sets", "unsafe"),
			},
		},
	}
}

func goal(v measure.Variant, least float64) measure.Variant {
	v.Goal = least
	return v
}

// ours is kvstore itself, in a language.
func (keys stores) ours(name, folder, what string, noSync bool) measure.Variant {
	return measure.Variant{Name: name, Run: func(ctx context.Context, cfg *measure.Config, n int64) (measure.Sample, error) {
		program := filepath.Join(cfg.Bin, folder, "kvstore")
		return keys.measured(ctx, cfg, n, func(path, what string, count int64) []string {
			args := []string{program, "--db", path, "measure", what, strconv.Itoa(int(keys)), strconv.FormatInt(count, 10)}
			if noSync || what == "fill" {
				args = append(args, "--no-sync")
			}
			return args
		}, what)
	}}
}

var peerNames = map[string]string{"tdb": "tdb", "sqlite": "SQLite"}

// peer is another store, by a program that "make build" makes where its library is.
func (keys stores) peer(library, file, what, how string) measure.Variant {
	name := peerNames[file]
	if how == "unsafe" {
		name += ", unsafe"
	}
	return measure.Variant{Name: name, Run: func(ctx context.Context, cfg *measure.Config, n int64) (measure.Sample, error) {
		program := filepath.Join(cfg.Bin, "p09", "peers", file)
		if _, err := os.Stat(program); errors.Is(err, fs.ErrNotExist) {
			return measure.Sample{}, measure.Skip("%s was not there when the programs were built", library)
		}
		return keys.measured(ctx, cfg, n, func(path, what string, count int64) []string {
			how := how
			if what == "fill" {
				how = "unsafe"
			}
			return []string{program, path, how, what, strconv.Itoa(int(keys)), strconv.FormatInt(count, 10)}
		}, what)
	}}
}

// measured fills a new store and runs the program over it.
func (keys stores) measured(ctx context.Context, cfg *measure.Config, n int64, args func(path, what string, count int64) []string, what string) (s measure.Sample, err error) {
	// Not in memory: what a flush costs is part of it.
	dir, err := os.MkdirTemp("", fmt.Sprintf("unpipc-%d-kv-", os.Getpid()))
	if err != nil {
		return s, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "store")
	if _, err := measure.Timed(ctx, cfg, int64(keys), args(path, "fill", int64(keys))...); err != nil {
		return s, err
	}
	return measure.Timed(ctx, cfg, n, args(path, what, n)...)
}
