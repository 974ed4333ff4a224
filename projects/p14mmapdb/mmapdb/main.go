// Command mmapdb is an embedded database in one memory-mapped file.
package main

import (
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/pflag"

	"unpipc/projects/internal/cli"
	"unpipc/projects/p14mmapdb"
)

const about = `Keeps ordered keys and values in one file, that any number of processes use at once.

  create DB             makes an empty database
  insert DB KEY VALUE   sets a value; VALUE - is standard input
  insert DB --from=FILE inserts lines, KEY TAB VALUE, in one transaction; - is standard input
  get DB KEY            prints a value
  delete DB KEY         deletes a record
  scan DB               prints records in the order of their keys, KEY TAB VALUE
  stat DB               prints figures
  check DB              reads every page in use and compares all checksums
  backup DB COPY        writes one moment's records to a new database, while others write
  bench                 measures a database of its own, and verifies what it reads

What insert and delete have reported is on the disk. In lines a backslash is \\, and bytes
below 0x20, and 0x7f, are \xNN. Keys have 1 to 1024 bytes, values up to 64 MiB.`

const example = `  mmapdb create mydata.db --size=100MB
  mmapdb insert mydata.db user:1 '{"name":"Alice"}'
  mmapdb get mydata.db user:1
  mmapdb scan mydata.db --prefix=user: --limit=10
  mmapdb scan mydata.db | mmapdb insert other.db --from=- --batch=1000`

type program struct {
	*cli.Program
	size             string
	from, to, prefix string
	dir              string
	batch, limit     int
	records          int
	noSync, raw      bool
	keysOnly         bool
	reverse          bool
}

// command is one verb: its function, how many arguments it has, and its flags.
type command struct {
	run        func(args []string) error
	least, max int
	flags      string
}

func main() {
	// A file that may not grow is an error to be told of, not a reason to be killed.
	signal.Ignore(syscall.SIGXFSZ)
	p := &program{Program: cli.New("mmapdb", "COMMAND [ARGUMENT…]", about, example)}
	p.StringVar(&p.size, "size", "1MB", "create: room that the file has from the beginning")
	p.StringVar(&p.from, "from", "", "insert: file with lines; scan: the first key")
	p.IntVar(&p.batch, "batch", 0, "insert --from: a transaction every so many lines (default all in one)")
	p.BoolVar(&p.noSync, "no-sync", false, "do not wait for the disk: faster, and lost when the power fails")
	p.BoolVar(&p.raw, "raw", false, "get: the value without a line feed behind it")
	p.StringVar(&p.to, "to", "", "scan: the first key that is not wanted any more")
	p.StringVar(&p.prefix, "prefix", "", "scan: only keys that begin so")
	p.IntVar(&p.limit, "limit", 0, "scan: no more records than this (default all)")
	p.BoolVar(&p.keysOnly, "keys-only", false, "scan: a key a line, without values")
	p.BoolVar(&p.reverse, "reverse", false, "scan: the last key first")
	p.IntVar(&p.records, "records", 1_000_000, "bench: how many records")
	p.StringVar(&p.dir, "dir", os.TempDir(), "bench: folder for its file")
	p.Parse(os.Args[1:])
	if p.NArg() == 0 {
		p.BadUsage("a command is missing")
	}
	commands := map[string]command{
		"create": {p.create, 1, 1, "size no-sync"},
		"insert": {p.insert, 1, 3, "from batch no-sync"},
		"get":    {p.get, 2, 2, "raw no-sync"},
		"delete": {p.delete, 2, 2, "no-sync"},
		"scan":   {p.scan, 1, 1, "from to prefix limit keys-only reverse no-sync"},
		"stat":   {p.stat, 1, 1, "no-sync"},
		"check":  {p.check, 1, 1, "no-sync"},
		"backup": {p.backup, 2, 2, "no-sync"},
		"bench":  {p.bench, 0, 0, "records dir no-sync"},
	}
	c, known := commands[p.Arg(0)]
	args := p.Args()[1:]
	switch {
	case !known:
		p.BadUsage("%s: no such command", p.Arg(0))
	case len(args) < c.least || len(args) > c.max:
		p.BadUsage("%s: wrong number of arguments", p.Arg(0))
	}
	p.Visit(func(f *pflag.Flag) {
		if !slices.Contains(strings.Fields(c.flags), f.Name) {
			p.BadUsage("%s: --%s is not for it", p.Arg(0), f.Name)
		}
	})
	p.Exit(c.run(args))
}

func (p *program) open(path string, readOnly bool) (*p14mmapdb.DB, error) {
	return p14mmapdb.Open(path, p14mmapdb.Options{NoSync: p.noSync, ReadOnly: readOnly})
}

// view calls f with a database's newest state.
func (p *program) view(path string, f func(t *p14mmapdb.Tx) error) error {
	db, err := p.open(path, true)
	if err != nil {
		return err
	}
	defer db.Close()
	return db.View(f)
}
