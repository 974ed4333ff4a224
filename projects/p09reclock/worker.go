package p09reclock

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"strconv"
)

// Keys of a stress test: each worker has some of its own, and all share some.
const (
	ownKeys    = 20
	sharedKeys = 8
)

// pattern is the only value that a key may have for a number: whoever reads it can tell.
func pattern(key string, number int) []byte {
	b := fmt.Appendf(nil, "%s %d ", key, number)
	length := number * 7919 % 3000
	if number%64 == 63 {
		length = 100_000
	}
	for i := range length {
		b = append(b, byte(number+i))
	}
	return b
}

// numberOf is the number that a value was made of.
func numberOf(key string, value []byte) (int, error) {
	fields := bytes.SplitN(value, []byte(" "), 3)
	if len(fields) == 3 && string(fields[0]) == key {
		if n, err := strconv.Atoi(string(fields[1])); err == nil && bytes.Equal(value, pattern(key, n)) {
			return n, nil
		}
	}
	return 0, fmt.Errorf("%s has a value that nobody set, of %d bytes", key, len(value))
}

func ownKey(worker, i int) string { return fmt.Sprintf("w%d-%d", worker, i) }

// worker sets, gets and deletes until it is killed. Its journal outlives it: what it is
// about to do, and what it has done.
type worker struct {
	st      *Store
	number  int
	journal *os.File
	is      [ownKeys]int // the number in each of its keys, 0: not there
	may     [ownKeys]int // what an interrupted call may have made of it, -1: nothing
	last    int          // number that was used
}

// A line of the journal is "+ KEY NUMBER" before a set (0: a deletion), "= KEY" after.

// readJournal gets to know what predecessors of this worker did.
func (w *worker) readJournal() error {
	for i := range w.may {
		w.may[i] = -1
	}
	for lines := bufio.NewScanner(w.journal); lines.Scan(); {
		var verb string
		var key, number int
		if n, _ := fmt.Sscan(lines.Text(), &verb, &key, &number); n < 2 || key < 0 || key >= ownKeys {
			return fmt.Errorf("%s: %q: not understood", w.journal.Name(), lines.Text())
		}
		switch verb {
		case "+":
			if w.may[key] >= 0 {
				return fmt.Errorf("%s: two calls at once for key %d", w.journal.Name(), key)
			}
			w.may[key] = number
			w.last = max(w.last, number)
		case "=":
			w.is[key], w.may[key] = w.may[key], -1
		}
	}
	return nil
}

// verify compares the worker's keys with its journal, and settles what was left open.
func (w *worker) verify() error {
	for i := range w.is {
		found, err := w.look(i)
		if err != nil {
			return err
		}
		if found != w.is[i] && found != w.may[i] {
			return fmt.Errorf("%s has number %d, and %d was set", ownKey(w.number, i), found, w.is[i])
		}
		if w.may[i] >= 0 {
			line := fmt.Sprintf("= %d\n", i)
			if found != w.may[i] {
				line += fmt.Sprintf("+ %d %d\n= %d\n", i, found, i)
			}
			if _, err := w.journal.WriteString(line); err != nil {
				return err
			}
		}
		w.is[i], w.may[i] = found, -1
	}
	return nil
}

// look is the number in one of its keys.
func (w *worker) look(i int) (int, error) {
	key := ownKey(w.number, i)
	value, err := w.st.Get([]byte(key))
	if errors.Is(err, ErrNoKey) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return numberOf(key, value)
}

// step does one thing at random.
func (w *worker) step() error {
	i := rand.N(ownKeys)
	switch dice := rand.N(100); {
	case dice < 50:
		w.last++
		return w.set(i, w.last)
	case dice < 60:
		if w.is[i] == 0 {
			return nil
		}
		return w.set(i, 0)
	case dice < 80:
		found, err := w.look(i)
		if err == nil && found != w.is[i] {
			err = fmt.Errorf("%s has number %d instead of %d", ownKey(w.number, i), found, w.is[i])
		}
		return err
	}
	shared := fmt.Sprintf("shared-%d", i%sharedKeys)
	if i%2 == 0 {
		return w.st.Set([]byte(shared), pattern(shared, rand.N(1000)))
	}
	value, err := w.st.Get([]byte(shared))
	if errors.Is(err, ErrNoKey) {
		return nil
	}
	if err == nil {
		_, err = numberOf(shared, value)
	}
	return err
}

func (w *worker) set(i, number int) error {
	if _, err := fmt.Fprintf(w.journal, "+ %d %d\n", i, number); err != nil {
		return err
	}
	key := []byte(ownKey(w.number, i))
	var err error
	if number == 0 {
		err = w.st.Delete(key)
	} else {
		err = w.st.Set(key, pattern(string(key), number))
	}
	if err != nil {
		return err
	}
	w.is[i] = number
	_, err = fmt.Fprintf(w.journal, "= %d\n", i)
	return err
}

// Work is one process of a stress test: it verifies what its predecessors have left, and
// then works until it is killed, or not at all.
func (st *Store) Work(number int, journal string, verifyOnly bool) (err error) {
	f, err := os.OpenFile(journal, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	w := &worker{st: st, number: number, journal: f}
	if err := w.readJournal(); err != nil {
		return err
	}
	if err := w.verify(); err != nil {
		return err
	}
	if _, err := os.Stdout.WriteString("verified\n"); err != nil {
		return &fs.PathError{Op: "write", Path: "standard output", Err: err}
	}
	for !verifyOnly {
		if err := w.step(); err != nil {
			return err
		}
	}
	return nil
}
