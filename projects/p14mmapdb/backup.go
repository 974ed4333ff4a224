package p14mmapdb

import (
	"context"
	"os"
)

// Backup writes the newest state to a new file, while others write on: a database of the same
// records, packed, without free pages. It is there as a whole or not at all. Every page
// that is read is verified. The result is the number of records.
// Errors: fs.ErrExist; [ErrDamaged].
func (db *DB) Backup(path string) (records uint64, err error) {
	err = db.View(func(t *Tx) error {
		t.verify = true
		return publishFile(path, func(f *os.File) error {
			records = t.Records()
			return t.copyTo(f)
		})
	})
	return records, err
}

// backupBytes is about how much a copy holds in memory at a time.
const backupBytes = 16 << 20

// copyTo makes a database of f with the records of t.
func (t *Tx) copyTo(f *os.File) error {
	if err := writeEmpty(osFile{f}, 0); err != nil {
		return err
	}
	to, err := openPrivate(f)
	if err != nil {
		return err
	}
	defer to.Close()
	c := t.Cursor()
	for more := c.First(); more; {
		err := to.Update(context.Background(), func(w *Tx) error {
			for size := 0; more && size < backupBytes; more = c.Next() {
				key, value, err := c.Record()
				if err != nil {
					return err
				}
				if err := w.Put(key, value); err != nil {
					return err
				}
				size += len(key) + len(value)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return c.Err()
}
