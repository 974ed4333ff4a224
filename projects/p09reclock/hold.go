package p09reclock

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/sys/unix"

	"unpipc/gobind/reclock"
)

// Bucket is the number of a key's bucket. It never changes.
func (st *Store) Bucket(key []byte) uint64 {
	st.mu.RLock()
	defer st.mu.RUnlock()
	return bucketOf(st.file.hash(key))
}

// Hold locks and unlocks the buckets of keys as it is told, a line each, and answers with
// what happens, until the input ends:
//
//	lock KEY     "locked KEY", before that "waiting KEY" if it has to; "deadlock KEY"
//	unlock KEY   "unlocked KEY"
//
// It is for showing locks; what else is done with the key's bucket waits.
func (st *Store) Hold(in io.Reader, out io.Writer) error {
	if st.readOnly {
		return fmt.Errorf("%s: %w", st.path, errReadOnly)
	}
	held := map[string]*reclock.Locked{}
	defer func() {
		for _, l := range held {
			_ = l.Unlock()
		}
	}()
	for lines := bufio.NewScanner(in); lines.Scan(); {
		verb, key, _ := strings.Cut(lines.Text(), " ")
		var answer string
		var err error
		switch {
		case verb == "lock" && held[key] == nil:
			var l *reclock.Locked
			if l, answer, err = st.holdKey(key, out); l != nil {
				held[key] = l
			}
		case verb == "unlock" && held[key] != nil:
			answer, err = "unlocked", held[key].Unlock()
			delete(held, key)
		default:
			err = fmt.Errorf("%q: not understood", lines.Text())
		}
		if err != nil {
			return err
		}
		fmt.Fprintln(out, answer, key)
	}
	return nil
}

func (st *Store) holdKey(key string, out io.Writer) (l *reclock.Locked, answer string, err error) {
	place := bucketByte + int64(st.Bucket([]byte(key)))
	l, err = st.locks.TryLock(reclock.Write, place)
	if errors.Is(err, unix.EAGAIN) {
		fmt.Fprintln(out, "waiting", key)
		l, err = st.locks.Lock(context.Background(), reclock.Write, place)
	}
	if errors.Is(err, unix.EDEADLK) {
		return nil, "deadlock", nil
	}
	return l, "locked", err
}
