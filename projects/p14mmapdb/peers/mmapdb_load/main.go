// Command mmapdb_load is the load that the benchmark puts on mmapdb and on other stores. The
// stores in C have the same one, in ref/peers/load.h.
package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"time"

	"unpipc/projects/internal/cli"
)

const about = `Puts a load on a store and prints how long it took. Whatever is read is verified.

  setup, fill   COUNT records, in an order that jumps, 20000 or 1000 a transaction
  puts          COUNT new values, one a transaction
  gets, scan    COUNT records, at random or in order, after all were read once
  beside        gets, 100 a snapshot, while another process may write`

const example = `  mmapdb_load mmapdb my.db no-sync setup 200000 200000
  mmapdb_load mmapdb my.db sync gets 200000 1000000`

func main() {
	p := cli.New("mmapdb_load", "mmapdb|bbolt FILE sync|no-sync setup|fill|puts|gets|beside|scan RECORDS COUNT", about, example)
	p.Parse(os.Args[1:])
	if p.NArg() != 6 {
		p.BadUsage("there must be six arguments")
	}
	open := map[string]func(path string, sync bool) (store, error){"mmapdb": openOurs, "bbolt": openBolt}[p.Arg(0)]
	records, err := strconv.ParseUint(p.Arg(4), 10, 32)
	count, err2 := strconv.ParseUint(p.Arg(5), 10, 63)
	run := loads[p.Arg(3)]
	if open == nil || run == nil || err != nil || err2 != nil || records == 0 {
		p.BadUsage("there is no such load")
	}
	debug.SetGCPercent(400)
	s, err := open(p.Arg(1), p.Arg(2) == "sync")
	if err != nil {
		p.Exit(err)
	}
	l := newLoad(s, records)
	elapsed, err := l.run(run, p.Arg(3), count)
	if e := s.Close(); err == nil {
		err = e
	}
	if err == nil {
		fmt.Printf("%d ns for %d\n", elapsed, count)
	}
	p.Exit(err)
}

// run is one load, and the reading before and after it that is not part of its time.
func (l *load) run(f func(*load, uint64) error, what string, count uint64) (time.Duration, error) {
	if what == "gets" || what == "scan" {
		// So that what is measured is no page fault, of which each page has just one.
		if err := l.scan(l.records, l.records); err != nil {
			return 0, err
		}
	}
	begin := time.Now()
	err := f(l, count)
	elapsed := time.Since(begin)
	switch {
	case err != nil:
	case what == "fill":
		err = l.scan(count+1, count) // one more, so that the end is seen
	case what == "puts":
		err = l.scan(l.records, l.records)
	}
	return elapsed, err
}
