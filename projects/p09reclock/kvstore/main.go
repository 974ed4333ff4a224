// Command kvstore is a store of keys and values for many processes at once.
package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"syscall"
	"time"

	"unpipc/projects/internal/cli"
	"unpipc/projects/p09reclock"
)

const about = `Keeps keys and values in a file that any number of processes use at once.

  set KEY VALUE    sets a value; VALUE - is standard input
  get KEY          prints a value
  del KEY          deletes a key
  list             prints all keys, one a line, with \xNN for other than printable bytes
  lock-test KEY    two processes that want one lock
  deadlock-test [KEY KEY]   two processes that want each other's lock
  check            reads everything and compares all checksums
  stress           many processes at once, some of them killed, all results verified
  hold             reads "lock KEY" and "unlock KEY" from standard input

A set has reached the disk when it returns. Keys and values are any bytes, up to 1 MiB.`

const example = `  kvstore set key1 value1
  kvstore get key1
  head -c 1000000 /dev/urandom | kvstore set noise -
  kvstore get --raw noise | wc -c
  kvstore --db /tmp/other.db list`

type program struct {
	*cli.Program
	db, keyFile, valueFile, with string
	noSync, raw                  bool
	hold, duration               float64
	processes, kills             int
}

func main() {
	// A file that may not grow is an error to be told of, not a reason to be killed.
	signal.Ignore(syscall.SIGXFSZ)
	p := &program{Program: cli.New("kvstore", "COMMAND [ARGUMENT…]", about, example)}
	p.StringVar(&p.db, "db", "kvstore.db", "the store's file; its locks are in FILE.lock")
	p.BoolVar(&p.noSync, "no-sync", false, "do not flush: faster, and lost when the power fails")
	p.BoolVar(&p.raw, "raw", false, "get: the value without a line feed behind it")
	p.StringVar(&p.keyFile, "key-file", "", "read the key from this file, - for standard input")
	p.StringVar(&p.valueFile, "value-file", "", "set: read the value from this file")
	p.Float64Var(&p.hold, "hold", 2, "lock-test: seconds to hold the lock")
	p.StringVar(&p.with, "with", "", "lock-test, deadlock-test, stress: program of every other process")
	p.IntVar(&p.processes, "processes", 16, "stress: how many at once")
	p.Float64Var(&p.duration, "duration", 3, "stress: seconds")
	p.IntVar(&p.kills, "kills", 20, "stress: how many to kill")
	p.Parse(os.Args[1:])
	if p.NArg() == 0 {
		p.BadUsage("a command is missing")
	}
	args := p.Args()[1:]
	commands := map[string]struct {
		run        func(args []string) error
		least, max int
	}{
		"set":           {p.set, 0, 2},
		"get":           {p.get, 0, 1},
		"del":           {p.del, 0, 1},
		"list":          {p.list, 0, 0},
		"lock-test":     {p.lockTest, 1, 1},
		"deadlock-test": {p.deadlockTest, 0, 2},
		"check":         {p.check, 0, 0},
		"stress":        {p.stress, 0, 0},
		"stress-worker": {p.worker, 2, 3},
		"hold":          {p.holdKeys, 0, 0},
		"measure":       {p.measure, 3, 3},
	}
	c, known := commands[p.Arg(0)]
	switch {
	case !known:
		p.BadUsage("%s: no such command", p.Arg(0))
	case len(args) < c.least || len(args) > c.max:
		p.BadUsage("%s: wrong number of arguments", p.Arg(0))
	}
	p.Exit(c.run(args))
}

func (p *program) open(create bool) (*p09reclock.Store, error) {
	return p09reclock.Open(p.db, p09reclock.Options{Create: create, NoSync: p.noSync})
}

// key is the key that a command is about, and the other arguments.
func (p *program) key(args []string) (key []byte, rest []string, err error) {
	if p.keyFile != "" {
		key, err = read(p.keyFile)
		return key, args, err
	}
	if len(args) == 0 {
		p.BadUsage("%s: a key is missing", p.Arg(0))
	}
	return []byte(args[0]), args[1:], nil
}

// read is the content of a file, up to one byte more than is allowed.
func read(name string) ([]byte, error) {
	f := os.Stdin
	if name != "-" {
		var err error
		if f, err = os.Open(name); err != nil {
			return nil, err
		}
		defer f.Close()
	}
	b, err := io.ReadAll(io.LimitReader(f, p09reclock.MaxLength+1))
	if err == nil && len(b) > p09reclock.MaxLength {
		return nil, fmt.Errorf("%s: %w", name, p09reclock.ErrTooLong)
	}
	return b, err
}

// named puts a key into an error about it.
func named(key []byte, err error) error {
	if errors.Is(err, p09reclock.ErrNoKey) || errors.Is(err, p09reclock.ErrTooLong) {
		return fmt.Errorf("%s: %w", escape(key[:min(len(key), 100)]), err)
	}
	return err
}

func (p *program) set(args []string) error {
	key, rest, err := p.key(args)
	if err != nil {
		return err
	}
	var value []byte
	switch {
	case p.valueFile != "" && len(rest) == 0:
		value, err = read(p.valueFile)
	case p.valueFile == "" && len(rest) == 1 && rest[0] == "-":
		value, err = read("-")
	case p.valueFile == "" && len(rest) == 1:
		value = []byte(rest[0])
	default:
		p.BadUsage("set: one value, please")
	}
	if err != nil {
		return err
	}
	st, err := p.open(true)
	if err != nil {
		return err
	}
	return errors.Join(named(key, st.Set(key, value)), st.Close())
}

func (p *program) get(args []string) error {
	key, rest, err := p.key(args)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		p.BadUsage("get: one key, please")
	}
	st, err := p.open(false)
	if err != nil {
		return err
	}
	defer st.Close()
	value, err := st.Get(key)
	if err != nil {
		return named(key, err)
	}
	if !p.raw {
		value = append(value, '\n')
	}
	_, err = os.Stdout.Write(value)
	return err
}

func (p *program) del(args []string) error {
	key, rest, err := p.key(args)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		p.BadUsage("del: one key, please")
	}
	st, err := p.open(false)
	if err != nil {
		return err
	}
	return errors.Join(named(key, st.Delete(key)), st.Close())
}

func (p *program) list([]string) error {
	st, err := p.open(false)
	if err != nil {
		return err
	}
	defer st.Close()
	var keys [][]byte
	if err := st.Keys(func(key []byte, _ int) { keys = append(keys, key) }); err != nil {
		return err
	}
	slices.SortFunc(keys, bytes.Compare)
	out := bufio.NewWriter(os.Stdout)
	for _, key := range keys {
		fmt.Fprintln(out, escape(key))
	}
	return out.Flush()
}

// escape makes a key a line of text.
func escape(key []byte) string {
	var b []byte
	for _, c := range key {
		switch {
		case c == '\\':
			b = append(b, `\\`...)
		case c < ' ' || c > '~':
			b = fmt.Appendf(b, `\x%02x`, c)
		default:
			b = append(b, c)
		}
	}
	return string(b)
}

func (p *program) check([]string) error {
	st, err := p.open(false)
	if err != nil {
		return err
	}
	defer st.Close()
	r, err := st.Check()
	if err != nil {
		return err
	}
	fmt.Printf("%s: %d keys in %d bytes, %d bytes of garbage, %d buckets, %d chains: OK\n",
		p.db, r.Keys, r.Used, r.Garbage, p09reclock.Buckets, r.Chains)
	return nil
}

// programs are this one and the other one.
func (p *program) programs() (both [2]string, err error) {
	both[0], err = os.Executable()
	both[1] = both[0]
	if p.with != "" {
		both[1] = p.with
	}
	return both, err
}

func (p *program) demo(keys ...*string) (*p09reclock.Demo, error) {
	both, err := p.programs()
	if err != nil {
		return nil, err
	}
	st, err := p.open(true)
	if err != nil {
		return nil, err
	}
	if len(keys) == 2 {
		for n := 2; *keys[1] == ""; n++ {
			if key := fmt.Sprint("key", n); st.Bucket([]byte(key)) != st.Bucket([]byte(*keys[0])) {
				*keys[1] = key
			}
		}
		if st.Bucket([]byte(*keys[0])) == st.Bucket([]byte(*keys[1])) {
			err = fmt.Errorf("%s and %s are in the same bucket and have one lock, choose another key", *keys[0], *keys[1])
		}
	}
	d := &p09reclock.Demo{Path: p.db, Programs: both, Out: os.Stdout}
	return d, errors.Join(err, st.Close())
}

func (p *program) lockTest(args []string) error {
	if p.hold < 0 || p.hold > 3600 {
		p.BadUsage("--hold: 0 to 3600 seconds")
	}
	d, err := p.demo()
	if err != nil {
		return err
	}
	return d.Locks(cli.UntilSignal(), args[0], time.Duration(p.hold*float64(time.Second)))
}

func (p *program) deadlockTest(args []string) error {
	if len(args) == 1 {
		p.BadUsage("deadlock-test: two keys or none")
	}
	keys := [2]string{"key1", ""}
	copy(keys[:], args)
	d, err := p.demo(&keys[0], &keys[1])
	if err != nil {
		return err
	}
	return d.Deadlock(cli.UntilSignal(), keys)
}

func (p *program) stress([]string) error {
	if p.processes < 1 || p.processes > 1000 || p.kills < 0 || p.kills > 100000 || p.duration <= 0 || p.duration > 86400 {
		p.BadUsage("stress: 1 to 1000 processes, 0 to 100000 kills, up to 86400 seconds")
	}
	both, err := p.programs()
	if err != nil {
		return err
	}
	s := &p09reclock.Stress{Programs: both, NoSync: p.noSync, Processes: p.processes, Kills: p.kills,
		Duration: time.Duration(p.duration * float64(time.Second)), Out: os.Stdout}
	if p.Changed("db") {
		s.Path = p.db
	}
	return s.Run(cli.UntilSignal())
}

func (p *program) worker(args []string) error {
	number, err := strconv.Atoi(args[0])
	if err != nil {
		p.BadUsage("stress-worker: %s: no number", args[0])
	}
	st, err := p.open(true)
	if err != nil {
		return err
	}
	return errors.Join(st.Work(number, args[1], len(args) == 3), st.Close())
}

func (p *program) holdKeys([]string) error {
	st, err := p.open(true)
	if err != nil {
		return err
	}
	return errors.Join(st.Hold(os.Stdin, os.Stdout), st.Close())
}

func (p *program) measure(args []string) error {
	count, err := strconv.ParseInt(args[2], 10, 64)
	keys, keysErr := strconv.Atoi(args[1])
	if err != nil || keysErr != nil {
		p.BadUsage("measure: gets|sets KEYS COUNT")
	}
	st, err := p.open(true)
	if err != nil {
		return err
	}
	elapsed, err := st.Measure(args[0], keys, count)
	if err == nil {
		fmt.Printf("%d ns for %d\n", elapsed.Nanoseconds(), count)
	}
	return errors.Join(err, st.Close())
}
