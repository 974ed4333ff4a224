package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"unpipc/projects/p14mmapdb"
)

func (p *program) create(args []string) error {
	size, err := p14mmapdb.ParseSize(p.size)
	if err != nil {
		p.BadUsage("--size: %v", err)
	}
	if err := p14mmapdb.Create(args[0], size); err != nil {
		return err
	}
	fmt.Printf("Database created: %s (%s)\n", args[0], p14mmapdb.SizeText(size))
	return nil
}

// named puts a key into an error about it.
func named(key []byte, err error) error {
	if errors.Is(err, p14mmapdb.ErrNoKey) || errors.Is(err, p14mmapdb.ErrKeyLength) || errors.Is(err, p14mmapdb.ErrValueLength) {
		return fmt.Errorf("%s: %w", p14mmapdb.AppendText(nil, key[:min(len(key), 100)]), err)
	}
	return err
}

func (p *program) insert(args []string) error {
	lines := p.Changed("from")
	switch {
	case lines && len(args) != 1, !lines && len(args) != 3:
		p.BadUsage("insert: a key and a value, or --from=FILE")
	case lines && p.from == "":
		p.BadUsage("--from: which file?")
	case p.Changed("batch") && (!lines || p.batch < 1):
		p.BadUsage("--batch is 1 or more, and for --from")
	}
	if lines {
		return p.insertLines(args[0])
	}
	key, value := []byte(args[1]), []byte(args[2])
	if args[2] == "-" {
		var err error
		if value, err = io.ReadAll(io.LimitReader(os.Stdin, p14mmapdb.MaxValue+1)); err != nil {
			return err
		}
	}
	db, err := p.open(args[0], false)
	if err != nil {
		return err
	}
	defer db.Close()
	var offset int64
	err = db.Update(context.Background(), func(t *p14mmapdb.Tx) error {
		var failed error
		t.OnCommit(func(t *p14mmapdb.Tx) { offset, failed = t.Offset(key) })
		return errors.Join(t.Put(key, value), failed)
	})
	if err != nil {
		return named(key, err)
	}
	fmt.Printf("Inserted at offset %d\n", offset)
	return nil
}

// insertLines inserts the lines of a file. Nobody has to wait while they are read.
func (p *program) insertLines(path string) error {
	in := os.Stdin
	if p.from != "-" {
		var err error
		if in, err = os.Open(p.from); err != nil {
			return err
		}
		defer in.Close()
	}
	db, err := p.open(path, false)
	if err != nil {
		return err
	}
	defer db.Close()
	lines := p14mmapdb.NewLines(p.from, in)
	for inserted, end := 0, false; !end; {
		var batch p14mmapdb.Batch
		for batch.Len() < p.batch || p.batch == 0 {
			key, value, err := lines.Next()
			if errors.Is(err, io.EOF) {
				end = true
				break
			}
			if err != nil {
				return err
			}
			batch.Put(key, value)
		}
		if batch.Len() == 0 && inserted > 0 {
			break
		}
		if err := db.Update(context.Background(), batch.Apply); err != nil {
			return err
		}
		inserted += batch.Len()
		fmt.Printf("Inserted %d records\n", inserted)
	}
	return nil
}

func (p *program) delete(args []string) error {
	db, err := p.open(args[0], false)
	if err != nil {
		return err
	}
	defer db.Close()
	key := []byte(args[1])
	err = db.Update(context.Background(), func(t *p14mmapdb.Tx) error { return t.Delete(key) })
	if err != nil {
		return named(key, err)
	}
	fmt.Printf("Deleted %s\n", p14mmapdb.AppendText(nil, key))
	return nil
}
