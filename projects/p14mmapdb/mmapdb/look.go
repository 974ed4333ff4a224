package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"

	"unpipc/projects/p14mmapdb"
)

func (p *program) get(args []string) error {
	key := []byte(args[1])
	return p.view(args[0], func(t *p14mmapdb.Tx) error {
		value, err := t.Get(key)
		if err != nil {
			return named(key, err)
		}
		// From the database's own pages, without a copy.
		if _, err = os.Stdout.Write(value); err == nil && !p.raw {
			_, err = os.Stdout.WriteString("\n")
		}
		return err
	})
}

func (p *program) scan(args []string) error {
	if p.limit < 0 || p.Changed("limit") && p.limit == 0 {
		p.BadUsage("--limit is 1 or more")
	}
	var from, to []byte
	if p.Changed("from") {
		from = []byte(p.from)
	}
	if p.Changed("to") {
		to = []byte(p.to)
	}
	return p.view(args[0], func(t *p14mmapdb.Tx) error {
		out := bufio.NewWriterSize(os.Stdout, 1<<16)
		c := p14mmapdb.NewRange(t, from, to, []byte(p.prefix), p.reverse)
		var line []byte
		for n := 0; (p.limit == 0 || n < p.limit) && c.Next(); n++ {
			key, value, err := c.Record()
			if err != nil {
				return err
			}
			line = p14mmapdb.AppendText(line[:0], key)
			if !p.keysOnly {
				line = p14mmapdb.AppendText(append(line, '\t'), value)
			}
			if _, err := out.Write(append(line, '\n')); err != nil {
				return err
			}
		}
		if err := c.Err(); err != nil {
			return err
		}
		return out.Flush()
	})
}

func (p *program) stat(args []string) error {
	db, err := p.open(args[0], true)
	if err != nil {
		return err
	}
	defer db.Close()
	s, err := db.Stat()
	if err != nil {
		return err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "records: %d\ntransaction: %d\ndurable: %d\ndepth: %d\npages: %d\nfree pages: %d\nlog pages: %d\nreaders: %d\nsize: %d\n",
		s.Records, s.Transaction, s.Durable, s.Depth, s.Pages, s.Free, s.Log, s.Readers-1, s.Size)
	_, err = os.Stdout.Write(b.Bytes())
	return err
}

func (p *program) check(args []string) error {
	db, err := p.open(args[0], true)
	if err != nil {
		return err
	}
	defer db.Close()
	r, err := db.Check()
	if err != nil {
		return err
	}
	fmt.Printf("%s: %d records in %d pages: OK\n", args[0], r.Records, r.Pages)
	return nil
}

func (p *program) backup(args []string) error {
	db, err := p.open(args[0], true)
	if err != nil {
		return err
	}
	defer db.Close()
	records, err := db.Backup(args[1])
	if err != nil {
		return err
	}
	fmt.Printf("Backup written: %s (%d records)\n", args[1], records)
	return nil
}
