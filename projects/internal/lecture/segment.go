package lecture

import (
	"errors"
	"fmt"
	"io/fs"

	"unpipc/gobind/sysvshm"
	"unpipc/projects/internal/marks"
)

// Segment is System V shared memory that one process has made, and removes.
type Segment struct {
	*sysvshm.Segment
	mark *marks.Mark
}

// MakeSegment makes and attaches the shared memory of a key. What a killed process has
// left, attached by nobody, is removed first; what is in use is an error. Scope is as in
// [marks.Claim].
func MakeSegment(scope string, key sysvshm.Key, bytes int) (segment *Segment, memory []byte, err error) {
	mark, err := marks.Claim(scope, marks.Segment, key.String())
	if err != nil {
		return nil, nil, fmt.Errorf("shared memory %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, mark.Remove())
		}
	}()
	s, err := sysvshm.Get(key, bytes, sysvshm.Create|sysvshm.Excl|0o600)
	if errors.Is(err, fs.ErrExist) {
		if err := removeUnused(key); err != nil {
			return nil, nil, err
		}
		s, err = sysvshm.Get(key, bytes, sysvshm.Create|sysvshm.Excl|0o600)
	}
	if err != nil {
		return nil, nil, err
	}
	if memory, err = s.Attach(0); err == nil {
		err = mark.Record(uint64(s.ID()))
	}
	if err != nil {
		return nil, nil, errors.Join(err, s.Remove())
	}
	return &Segment{s, mark}, memory, nil
}

func removeUnused(key sysvshm.Key) error {
	old, err := sysvshm.Get(key, 0, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	if st, err := old.Stat(); err == nil && st.Attached > 0 {
		return fmt.Errorf("shared memory %s (shmid %d): in use", key, old.ID())
	}
	return old.Remove()
}

// Remove removes it.
func (s *Segment) Remove() error { return errors.Join(s.Segment.Remove(), s.mark.Remove()) }
