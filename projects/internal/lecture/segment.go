package lecture

import (
	"errors"
	"fmt"
	"io/fs"

	"unpipc/gobind/sysvshm"
)

// MakeSegment makes and attaches the System V shared memory of a key. What a killed
// process has left, attached by nobody, is removed first; what is in use is an error.
func MakeSegment(key sysvshm.Key, bytes int) (*sysvshm.Segment, []byte, error) {
	for range 10 {
		segment, err := sysvshm.Get(key, bytes, sysvshm.Create|sysvshm.Excl|0o600)
		if err == nil {
			memory, err := segment.Attach(0)
			if err != nil {
				return nil, nil, errors.Join(err, segment.Remove())
			}
			return segment, memory, nil
		} else if !errors.Is(err, fs.ErrExist) {
			return nil, nil, err
		}
		old, err := sysvshm.Get(key, 0, 0)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return nil, nil, err
		}
		if st, err := old.Stat(); err == nil && st.Attached > 0 {
			return nil, nil, fmt.Errorf("shared memory %s (shmid %d): in use", key, old.ID())
		}
		_ = old.Remove()
	}
	return nil, nil, fmt.Errorf("shared memory %s: keeps being made by others", key)
}
